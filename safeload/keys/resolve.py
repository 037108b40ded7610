"""From what a caller passes, or says in the environment, to a Signer and a TrustStore. Nothing else is looked at."""

from __future__ import annotations

import os
import re

from safeload.errors import KeyFileError, NoSignerError, NoTrustError
from safeload.keys import environment
from safeload.keys.algorithms import NUMBERS
from safeload.keys.keyfile import path_text
from safeload.keys.keysource import key_in_environment
from safeload.keys.signer import Signer, signer_of_file
from safeload.keys.trust import TrustStore
from safeload.text import printable

__all__ = ["signer_from", "trust_from"]

_KEYID = re.compile(r"[0-9a-f]{64}")


def signer_from(value: Signer | str | os.PathLike[str] | None, passphrase: str | bytes | None = None) -> Signer:
    """A signer as it is; the one that uses a key file; or that of ``SAFELOAD_KEY``, a path, or ``SAFELOAD_KEY_PEM``.

    Raises NoSignerError, and what `Signer.from_file` raises; ValueError for a signer that the format has no place for.
    """
    if isinstance(value, Signer):
        return _well_formed(value)
    if value is None:
        return _signer_of_environment(passphrase)
    return Signer.from_file(_a_path(value, "signer", "a Signer"), passphrase)


def _signer_of_environment(passphrase: str | bytes | None) -> Signer:
    path, key = environment.get(environment.KEY), key_in_environment()
    if path is not None and key is not None:
        raise KeyFileError(
            f"{environment.KEY} and {environment.KEY_PEM} are both set, and only one can sign",
            hint=f"unset one of them: {environment.KEY} is a path, {environment.KEY_PEM} the key itself",
        )
    if key is not None:
        return signer_of_file(key, passphrase)
    if path is not None:
        return Signer.from_file(path, passphrase)
    raise NoSignerError(
        f"nobody said who signs: no signer was given, and {environment.KEY} is not set",
        hint='make a key with: safeload keygen team; then pass signer="team.key"',
    )


def trust_from(
    value: TrustStore | str | os.PathLike[str] | None, root: str | os.PathLike[str] | None = None
) -> TrustStore:
    """A store as it is; that of a folder, or of one ``.pub`` or ``.hmac`` file; or of the path in ``SAFELOAD_TRUST``.

    A folder must be signed by one that `root` trusts, or that the path in ``SAFELOAD_TRUST_ROOT`` does, if there is
    either. Raises NoTrustError, and what `TrustStore.open` and `TrustStore.from_file` raise.
    """
    if isinstance(value, TrustStore):
        return value
    path = environment.get(environment.TRUST) if value is None else value
    if path is None:
        raise NoTrustError(
            f"nobody said whose signatures count: no trust was given, and {environment.TRUST} is not set",
            hint='make a store with: safeload trust add team.pub --store keys/; then pass trust="keys/"',
        )
    name = _a_path(path, "trust", "a TrustStore")
    is_folder = os.path.isdir(name)  # noqa: PTH112  Path.is_dir raises for a name that is too long
    root = environment.get(environment.TRUST_ROOT) if root is None else path_text(root)
    if is_folder:
        return TrustStore.open(name, root=root)
    if root is not None:
        # Else whoever delivers the store would deliver a file in its place, and be trusted.
        raise KeyFileError(
            f"{printable(name)} is no folder, and {printable(root)} was named as the root of a trust store",
            path=name,
            hint=f"name a folder with a trust.toml; or no root (--trust-root, {environment.TRUST_ROOT}) for one key",
        )
    return TrustStore.from_file(name)


def _a_path(value: object, parameter: str, kind: str) -> str:
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{parameter} must be {kind} or a path, not {type(value).__name__}")
    return path_text(value)


def _well_formed(signer: Signer) -> Signer:
    """A signer of the caller's own may claim anything; better now than after a large payload was hashed."""
    if signer.algorithm not in NUMBERS:
        raise ValueError(f"{type(signer).__name__}.algorithm must be one of {', '.join(NUMBERS)}")
    if not _KEYID.fullmatch(signer.keyid):
        raise ValueError(f"{type(signer).__name__}.keyid must be 64 lower-case hexadecimal digits")
    return signer
