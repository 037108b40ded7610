"""Whose signatures count."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.errors import KeyFileError, RevokedKeyError
from safeload.keys import folder as folders
from safeload.keys.authority import authorised, parts_of
from safeload.keys.keyfile import path_text, quoted
from safeload.keys.signed_ledger import signed_ledger
from safeload.keys.terms import NO_TERMS, who
from safeload.keys.trusted import TrustedKey, read_trusted_key
from safeload.keys.verification import check_records
from safeload.text import printable
from safeload.warn import UnsafeWarning, warn_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safeload.errors import KeyRefusedError
    from safeload.keys.terms import KeyTerms, Role
    from safeload.keys.verification import Record

__all__ = ["TrustStore", "UnsafeWarning"]

_HINT = "if you know this key, name the .pub file that its owner gave you"


@dataclass(frozen=True, slots=True)
class TrustStore:
    """At least one key, each key material once. ``source`` and ``hint`` are for messages.

    ``terms`` by keyid say from when to when and for which models a key counts, ``roles`` how many of which keys must
    have signed (docs/trust.md). A hint may hold ``{first}``, where the first digits of the unknown keyid are put.
    Raises KeyFileError if there is no key.
    """

    keys: tuple[TrustedKey, ...]
    source: str = "the trust store"
    hint: str = _HINT
    terms: Mapping[str, KeyTerms] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()

    def __post_init__(self) -> None:
        if not self.keys:
            raise KeyFileError(
                f"{printable(self.source)} holds no key, so nothing could be verified",
                path=self.source,
                hint="safeload trust add team.pub --store keys/",
            )
        unique: dict[str, TrustedKey] = {}
        for key in self.keys:
            unique.setdefault(key.keyid, key)
        object.__setattr__(self, "keys", tuple(unique.values()))

    @staticmethod
    def open(
        folder: str | os.PathLike[str],
        shared: Sequence[str | os.PathLike[str]] = (),
        *,
        root: TrustStore | str | os.PathLike[str] | None = None,
        now: datetime | None = None,
    ) -> TrustStore:
        """The ``*.pub`` files of `folder`, by name, then the HMAC keys whose paths are `shared`.

        With a ``trust.toml`` in it those of them count that it lists, as it says. With `root`, whoever signed the
        ``trust.toml`` must be one that this store, folder or ``.pub`` file trusts at the time `now`. Raises
        KeyFileError: for one malformed key, for a ``trust.toml`` that cannot be read to its end, for no key at all;
        VerificationError for one that `root` does not trust.
        """
        named = folders.shared_keys(shared)
        found = tuple(key for _, key in folders.public_keys(folder))
        folders.warn_of_ignored(folder, shared)
        ledger = folders.ledger(folder) if root is None else signed_ledger(Path(folder), _root(root, now))
        if ledger is not None:
            found = folders.listed(folder, found, ledger)
        source = str(Path(folder, "_"))[:-1] or "./"  # ends with a separator: "keys/ does not trust" reads as a folder
        add = f"if you know this key: safeload trust add {{first}}.pub --store {quoted(source)}"
        terms, roles = (ledger.terms, ledger.roles) if ledger else ({}, ())
        return TrustStore(found + named, source, add, terms, roles)

    @staticmethod
    def from_file(path: str | os.PathLike[str]) -> TrustStore:
        """The one key of a ``.pub`` or ``.hmac`` file: naming an HMAC key is what makes it count.

        Raises KeyFileError, KeyPermissionsError, AlgorithmError.
        """
        return TrustStore((read_trusted_key(path),), path_text(path))

    @staticmethod
    def unsafe_accept_any() -> TrustStore:
        """Trust whoever wrote the file: no signature is asked for or looked at. Warns with UnsafeWarning."""
        warn_caller("TrustStore.unsafe_accept_any(): files are taken from anybody, signed or not", UnsafeWarning)
        return _AcceptsAny((), "anybody")

    def check(
        self,
        manifest_message: bytes,
        records: Sequence[Record],
        *,
        name: str = "the file",
        now: datetime | None = None,
    ) -> tuple[TrustedKey, ...]:
        """The trusted keys that signed `manifest_message` (docs/format.md, 7.4) and count at the time `now`.

        `name` is the file's, for messages. Raises UnsignedError, UntrustedSignerError, BadSignatureError,
        RevokedKeyError, KeyLifetimeError.
        """
        return check_records(
            {key.keyid: key for key in self.keys},
            manifest_message,
            records,
            name=printable(name),
            store=printable(self.source),
            hint=self.hint,
            refused=self.refused(printable(name), now or datetime.now(UTC)),
        )

    def refused(self, name: str, now: datetime) -> dict[str, KeyRefusedError]:
        """Why the keys that do not count now do not, by keyid; `name` is the file's. What was revoked takes along what
        shares a part with it."""
        terms = {key.keyid: self.terms.get(key.keyid, NO_TERMS) for key in self.keys}
        found = {key.keyid: terms[key.keyid].refusal(key, name, now) for key in self.keys}
        revoked = [key for key in self.keys if isinstance(found[key.keyid], RevokedKeyError)]
        gone = {part: key for key in revoked for part in parts_of(key)}
        for key in self.keys if gone else ():
            shared = next((gone[part] for part in sorted(parts_of(key)) if part in gone), key)
            if found[key.keyid] is None and shared is not key:
                found[key.keyid] = terms[key.keyid].revoked_with(key, name, shared, terms[shared.keyid])
        return {keyid: refusal for keyid, refusal in found.items() if refusal is not None}

    def standing(self, keyid: str, model: str | None, now: datetime) -> str:
        """Why no signature of a key of this store counts for `model` at the time `now`, to stand behind "which".

        Empty if one would, or if the key is not in the store. No signature is looked at, so that it makes no difference
        whether somebody cut it off.
        """
        key = next((key for key in self.keys if key.keyid == keyid), None)
        if key is None:
            return ""
        whose, terms = who(key, self.terms.get(keyid, NO_TERMS)), self.terms.get(keyid, NO_TERMS)
        refusal = self.refused("", now).get(keyid)
        if isinstance(refusal, RevokedKeyError):
            because = f" ({printable(terms.revoked_because)})" if terms.revoked_because else ""
            return f"is the key of {whose}, and was revoked{because}"
        if refusal is not None:
            return f"is the key of {whose}, and is not valid at this time"
        if terms.out_of_scope(key, "", model) is not None:
            return f"is the key of {whose}, and may not sign this model"
        return ""

    def authorise(
        self,
        signers: tuple[TrustedKey, ...],
        model: str | None,
        *,
        name: str = "the file",
        how: str = "safeload sign FILE --key theirs.key",
    ) -> tuple[TrustedKey, ...]:
        """Those of `signers`, which :meth:`check` gave, that count for the model of that name (None: it has none).

        `how` is the command that adds a signature, for the hint. Raises OutOfScopeError, ThresholdError.
        """
        return authorised(
            signers,
            self.terms,
            self.roles,
            known=self.keys,
            model=model,
            name=printable(name),
            store=printable(self.source),
            how=how,
        )


def _root(
    root: TrustStore | str | os.PathLike[str], now: datetime | None
) -> Callable[[bytes, Sequence[Record], str], None]:
    """What checks the signatures on a store."""
    if isinstance(root, TrustStore):
        store = root
    else:
        is_folder = os.path.isdir(root)  # noqa: PTH112  Path.is_dir raises for a name that is too long
        store = TrustStore.open(root) if is_folder else TrustStore.from_file(root)

    def check(message: bytes, records: Sequence[Record], name: str) -> None:
        how = f"safeload trust sign --store {quoted(str(Path(name).parent))} --key theirs.key"
        store.authorise(store.check(message, records, name=name, now=now), None, name=name, how=how)

    return check


@dataclass(frozen=True, slots=True)
class _AcceptsAny(TrustStore):
    """What `TrustStore.unsafe_accept_any` gives: it holds no key and verifies nothing."""

    def __post_init__(self) -> None:
        pass

    def check(
        self,
        manifest_message: bytes,
        records: Sequence[Record],
        *,
        name: str = "the file",
        now: datetime | None = None,
    ) -> tuple[TrustedKey, ...]:
        """Nobody: what was not verified is not called signed."""
        del manifest_message, records, name, now
        return ()

    def authorise(
        self, signers: tuple[TrustedKey, ...], model: str | None, *, name: str = "the file", how: str = ""
    ) -> tuple[TrustedKey, ...]:
        """Nobody."""
        del model, name, how
        return signers
