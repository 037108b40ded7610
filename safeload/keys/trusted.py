"""One key whose signatures count."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeload.hazmat import keyfiles, mac, points, signatures
from safeload.keys import hmacfile
from safeload.keys.algorithms import ED25519, HMAC_SHA256
from safeload.keys.keyfile import read_key_file
from safeload.keys.keyid import ed25519_keyid, hmac_keyid
from safeload.text import printable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import SupportsIndex

__all__ = ["TrustedKey", "read_trusted_key"]

_KEYID: dict[str, Callable[[bytes], str]] = {ED25519: ed25519_keyid, HMAC_SHA256: hmac_keyid}
_VERIFY: dict[str, Callable[[bytes, bytes, bytes], bool]] = {ED25519: signatures.verify, HMAC_SHA256: mac.verify}
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """``material`` is the raw 32 bytes: a public key, or a shared secret; ``name`` the file's without its ending.

    ``keyid`` is computed from the material and cannot be claimed. Raises ValueError for material that no key has.
    """

    algorithm: str
    material: bytes = field(repr=False, compare=False)
    name: str
    keyid: str = field(init=False)

    def __post_init__(self) -> None:
        if self.algorithm not in _KEYID:
            raise ValueError(f"no key can be trusted for {self.algorithm!r}")
        if len(self.material) != _KEY_BYTES:
            raise ValueError(f"a key has {_KEY_BYTES} bytes, not {len(self.material)}")
        if self.algorithm == ED25519 and (defect := points.defect(self.material)):
            raise ValueError(f"the key {defect}")
        object.__setattr__(self, "keyid", _KEYID[self.algorithm](self.material))

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over `message`, by this key's algorithm and no other."""
        return _VERIFY[self.algorithm](self.material, message, signature)

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        if self.algorithm == HMAC_SHA256:
            raise TypeError("an HMAC key is a secret and is not pickled or copied; pass the path of its file instead")
        return (TrustedKey, (self.algorithm, self.material, self.name))


def read_trusted_key(path: str | os.PathLike[str]) -> TrustedKey:
    """The key in a ``.pub`` or ``.hmac`` file, told apart by content.

    Raises KeyFileError, KeyPermissionsError for an HMAC key that others can read, AlgorithmError.
    """
    file = read_key_file(path)
    name = printable(Path(file.path).stem)
    if hmacfile.claims_hmac(file.data):
        file.refuse_if_others_can_read()
        return TrustedKey(HMAC_SHA256, hmacfile.parse(file.data, file.path), name)
    return TrustedKey(ED25519, keyfiles.load_public(file.data, file.path), name)
