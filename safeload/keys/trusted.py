"""One key whose signatures count."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeload.hazmat import keyfiles, kinds, mac
from safeload.hazmat.kinds import Key
from safeload.keys import hmacfile
from safeload.keys.algorithms import HMAC_SHA256
from safeload.keys.keyfile import read_key_file
from safeload.keys.keyid import hmac_keyid, public_keyid
from safeload.text import printable

if TYPE_CHECKING:
    import os
    from typing import SupportsIndex

__all__ = ["TrustedKey", "read_trusted_key"]

_PUBLIC = frozenset({*kinds.KINDS, *kinds.PAIRS})


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """``material`` is raw: a public key, or a shared secret; ``name`` the file's without its ending.

    ``keyid`` is computed from the material and cannot be claimed. Raises ValueError for material that no key has.
    """

    algorithm: str
    material: bytes = field(repr=False, compare=False)
    name: str
    keyid: str = field(init=False)

    def __post_init__(self) -> None:
        if self.algorithm == HMAC_SHA256:
            if len(self.material) != mac.KEY_BYTES:
                raise ValueError(f"a key has {mac.KEY_BYTES} bytes, not {len(self.material)}")
            object.__setattr__(self, "keyid", hmac_keyid(self.material))
            return
        if self.algorithm not in _PUBLIC:
            raise ValueError(f"no key can be trusted for {self.algorithm!r}")
        if defect := kinds.defect(self.public):
            raise ValueError(f"the key {defect}")
        object.__setattr__(self, "keyid", public_keyid(self.public))

    @property
    def public(self) -> Key:
        """The key, of what is no HMAC key."""
        return Key(self.algorithm, self.material)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over `message`, by this key's algorithm and no other."""
        if self.algorithm == HMAC_SHA256:
            return mac.verify(self.material, message, signature)
        return kinds.verify(self.public, message, signature)

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        if self.algorithm == HMAC_SHA256:
            raise TypeError("an HMAC key is a secret and is not pickled or copied; pass the path of its file instead")
        return (TrustedKey, (self.algorithm, self.material, self.name))


def read_trusted_key(path: str | os.PathLike[str]) -> TrustedKey:
    """The key in a ``.pub`` or ``.hmac`` file, told apart by content.

    Raises KeyFileError, KeyPermissionsError for an HMAC key that others can read, AlgorithmError.
    """
    file = read_key_file(path)
    if hmacfile.claims_hmac(file.data):
        file.refuse_if_others_can_read()
        return TrustedKey(HMAC_SHA256, hmacfile.parse(file.data, file.path), _name(file.path))
    return _public(file.data, file.path)


@functools.lru_cache(maxsize=64)
def _public(data: bytes, path: str) -> TrustedKey:
    """The bytes of one key mean the same each time that a model is loaded."""
    return TrustedKey(*keyfiles.load_public(data, path), _name(path))


def _name(path: str) -> str:
    return printable(Path(path).stem)
