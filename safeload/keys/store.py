"""Changing, listing and checking a trust store that is a folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.errors import KeyFileError
from safeload.hazmat import keyfiles
from safeload.keys import editing
from safeload.keys import folder as folders
from safeload.keys.algorithms import HMAC_SHA256
from safeload.keys.authority import parties
from safeload.keys.keyfile import PUBLIC_MODE, NewFile, cannot, create_all, path_text
from safeload.keys.keyid import short
from safeload.keys.terms import NO_TERMS, KeyTerms, Role, shown_time, who
from safeload.keys.trust import TrustStore
from safeload.keys.trusted import TrustedKey, read_trusted_key
from safeload.text import plural, printable

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

__all__ = ["TrustAddition", "TrustEntry", "trust_add", "trust_check", "trust_list", "trust_revoke", "trust_role"]

_DIGITS = 8  # of a keyid, to name a key


@dataclass(frozen=True, slots=True)
class TrustAddition:
    """``path`` holds ``key`` in the store now; ``added`` is False where it counted before, maybe by another name."""

    key: TrustedKey
    path: Path
    added: bool


@dataclass(frozen=True, slots=True)
class TrustEntry:
    """A key of a store, and what the store says of it."""

    key: TrustedKey
    terms: KeyTerms

    def state(self, now: datetime) -> str:
        """``revoked``, ``not yet valid``, ``expired`` or ``valid``."""
        terms = self.terms
        if terms.revoked_at is not None and now >= terms.revoked_at:
            return "revoked"
        if terms.valid_from is not None and now < terms.valid_from:
            return "not yet valid"
        return "expired" if terms.valid_until is not None and now >= terms.valid_until else "valid"


def trust_add(
    public_key_path: str | os.PathLike[str], store_folder: str | os.PathLike[str], terms: KeyTerms = NO_TERMS
) -> TrustAddition:
    """Copy a public key into the folder as SubjectPublicKeyInfo PEM, ``<stem>.pub``; the folder is made if need be.

    In a store with a ``trust.toml`` the key is listed there, with `terms`; `terms` make one. Raises KeyFileError: for
    what is no public key, and where another key has the name.
    """
    key = _public_key(public_key_path)
    folder = Path(path_text(store_folder))
    _make(folder)
    ledger = folders.ledger(folder)
    addition = _copied(key, folder, Path(path_text(public_key_path)).stem)
    if ledger is not None and key.keyid not in ledger.terms:  # a file that somebody dropped there did not count
        addition = replace(addition, added=True)
    if terms != NO_TERMS or ledger is not None:
        editing.edit_ledger(folder, lambda document: editing.set_terms(document, key, terms))
    return addition


def _copied(key: TrustedKey, folder: Path, stem: str) -> TrustAddition:
    # A name with a leading dot would not count in the store.
    target = folder / f"{stem.lstrip('.') or 'key'}.pub"
    for path, present in folders.public_keys(folder):
        if present.keyid == key.keyid:
            return TrustAddition(present, path, added=False)
        if path == target:
            raise KeyFileError(
                f"{printable(str(target))} is another key, {short(present.keyid)}",
                path=str(target),
                hint="rename the file that you add: a key's name in the store is its file's",
            )
    create_all([NewFile(str(target), keyfiles.public_pem(key.public), PUBLIC_MODE)])
    return TrustAddition(key, target, added=True)


def trust_revoke(
    key: str, store_folder: str | os.PathLike[str], *, reason: str = "", at: datetime | None = None
) -> TrustEntry:
    """From `at` on (None: now) no signature of `key` counts, whenever it was made.

    `key` is its name in the store, or the first eight digits or more of its keyid. Raises KeyFileError.
    """
    folder = Path(path_text(store_folder))
    entry = _entry(key, folder)
    moment = (at or datetime.now(UTC)).replace(microsecond=0)
    editing.edit_ledger(folder, lambda document: editing.set_revocation(document, entry.key, moment, reason))
    return _entry(entry.key.keyid, folder)


def trust_role(
    name: str,
    keys: Sequence[str],
    threshold: int,
    store_folder: str | os.PathLike[str],
    models: tuple[str, ...] | None = None,
) -> Role:
    """From now on `threshold` of `keys` must have signed a model that `models` names (None: any). Raises KeyFileError.

    Keys are named as in :func:`trust_revoke`. A role of that name is replaced.
    """
    folder = Path(path_text(store_folder))
    keyids = tuple(dict.fromkeys(_entry(key, folder).key.keyid for key in keys))
    role = Role(name=name, keyids=keyids, threshold=threshold, models=models)
    editing.edit_ledger(folder, lambda document: editing.set_role(document, role))
    return role


def trust_list(store_folder: str | os.PathLike[str]) -> tuple[TrustEntry, ...]:
    """The public keys of a folder that count, by name, each once. Raises KeyFileError as `TrustStore.open` does."""
    store = TrustStore.open(store_folder)
    return tuple(TrustEntry(key, store.terms.get(key.keyid, NO_TERMS)) for key in store.keys)


def trust_check(store_folder: str | os.PathLike[str], *, now: datetime | None = None) -> tuple[str, ...]:
    """What is wrong with a store, a sentence each: keys that expired or are not valid yet at the time `now`, roles that
    nobody can satisfy. Raises KeyFileError for a store that cannot be used at all."""
    store = TrustStore.open(store_folder)
    return tuple(_problems(store, now or datetime.now(UTC)))


def _problems(store: TrustStore, now: datetime) -> Iterator[str]:
    refused = store.refused("the file", now)
    entries = {key.keyid: TrustEntry(key, store.terms.get(key.keyid, NO_TERMS)) for key in store.keys}
    for entry in entries.values():
        state, terms = entry.state(now), entry.terms
        since = {"revoked": terms.revoked_at, "not yet valid": terms.valid_from, "expired": terms.valid_until}.get(
            state
        )
        if since is not None and state != "revoked":  # that is said on purpose, and for ever
            until = "until" if state == "not yet valid" else "since"
            yield f"{who(entry.key, terms)}: {state} {until} {shown_time(since)}"
        if state == "valid" and entry.key.keyid in refused:
            yield f"{who(entry.key, terms)}: shares a part with a key that was revoked, and does not count"
    for keyid, terms in store.terms.items():
        if keyid not in entries and terms.revoked_at is None:
            yield f"{short(keyid)} is listed, and no .pub file is that key"
    party = parties(store.keys)
    for role in store.roles:
        valid = [party[keyid] for keyid in role.keyids if keyid in entries and keyid not in refused]
        if (count := len(set(valid))) < role.threshold:
            yield (
                f'the role "{printable(role.name)}" asks for {plural(role.threshold, "signature")}, and only '
                f"{plural(count, 'key')} of it {'counts' if count == 1 else 'count'}: nothing can satisfy it"
            )


def _entry(name: str, folder: Path) -> TrustEntry:
    """The one key of that name, or whose keyid begins so. Raises KeyFileError."""
    found = [
        (path, key)
        for path, key in folders.public_keys(folder)
        if path.stem == name or (len(name) >= _DIGITS and key.keyid.startswith(name.lower()))
    ]
    keyids = {key.keyid for _, key in found}
    if len(keyids) == 1:
        ledger = folders.ledger(folder)
        return TrustEntry(found[0][1], (ledger.terms if ledger else {}).get(keyids.pop(), NO_TERMS))
    problem = "is the name or keyid of no key" if not found else "is the name or keyid of several keys"
    raise KeyFileError(
        f"{printable(name)} {problem} in {printable(str(folder))}",
        path=str(folder),
        hint=f"a name is that of a .pub file without its ending, a keyid {_DIGITS} digits or more: safeload trust list",
    )


def _public_key(path: str | os.PathLike[str]) -> TrustedKey:
    key = read_trusted_key(path)
    if key.algorithm == HMAC_SHA256:
        raise KeyFileError(
            f"{printable(path_text(path))} is an HMAC key, a secret that does not count in a folder",
            path=path_text(path),
            hint="name it itself: --trust team.hmac",
        )
    return key


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise cannot("make", str(folder), error) from error
