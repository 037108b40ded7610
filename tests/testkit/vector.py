"""One vector: a header that says what a reader must answer, an empty line, and the file."""

from __future__ import annotations

import base64
import hashlib
import lzma
import zlib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from testkit.container import COMPRESSORS, OTHER, SHARED, TEST, Draft, Sealed, draft
from testkit.sealing import MACHINE, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

VECTORS = Path(__file__).resolve().parents[1] / "vectors"

# Format 11.
CLASSES = {
    "NotAnArtifactError": "not-an-artifact",
    "UnsupportedError": "unsupported-version unsupported-flag unsupported-record unsupported-crit unsupported-encoding",
    "LimitError": "expansion",
    "FormatError": "truncated payload-offset section-gap table-length manifest-length nonzero-padding trailing-bytes"
    " record-length too-many-records duplicate-keyid not-utf8 not-json duplicate-key number too-deep surrogate"
    " missing-key unknown-key wrong-type bad-value member-name duplicate-name member-offset member-size member-frames"
    " payload-length ciphertext-length",
    "UnsignedError": "unsigned",
    "UntrustedSignerError": "untrusted-signer",
    "BadSignatureError": "bad-signature",
    "PreludeMismatchError": "prelude-mismatch",
    "ExpiredError": "expired",
    "RevokedKeyError": "key-revoked",
    "KeyLifetimeError": "key-lifetime",
    "OutOfScopeError": "out-of-scope",
    "ThresholdError": "threshold",
    "DigestMismatchError": "root-mismatch leaf-mismatch",
    "CorruptMemberError": "member-padding frame-corrupt",
    "NoIdentityError": "no-identity",
    "NotARecipientError": "not-a-recipient",
    "WrongPassphraseError": "wrong-passphrase",
    "CorruptCiphertextError": "ciphertext-corrupt",
}
CLASS_OF = {slug: name for name, slugs in CLASSES.items() for slug in slugs.split()}

# A body that zlib leaves larger than this is worth the better compressor.
ZLIB_ENOUGH = 32_768


@dataclass(frozen=True, kw_only=True, slots=True)
class Vector:
    """A scenario and its answer; `violation` is empty where a reader must accept the file."""

    name: str
    about: str
    violation: str = ""
    at: str = "verify"
    trust: str = "ed25519"
    identity: str = ""
    passphrase: str = ""
    members: tuple[tuple[str, str], ...] = ()
    # SHA-256 of all plaintext that a reader may give out before it refuses, in the order of members.
    released: str = ""
    compressors: tuple[str, ...] = ()
    # docs/trust.md: the lines of a trust.toml beside the keys, and the time of verifying.
    ledger: str = ""
    now: str = ""
    body: bytes = field(repr=False)

    @property
    def expect(self) -> str:
        return CLASS_OF[self.violation] if self.violation else "success"

    def encode(self) -> bytes:
        encoding, packed = "zlib", zlib.compress(self.body, 9)
        if len(packed) > ZLIB_ENOUGH:
            encoding, packed = "xz", lzma.compress(self.body)
        lines = [f"expect: {self.expect}"]
        if self.violation:
            lines += [f"violation: {self.violation}", f"at: {self.at}"]
        lines += [f"members: {name}={digest}" for name, digest in self.members]
        lines += [f"released: {self.released}"] if self.released else []
        lines += [f"trust: {self.trust}"]
        lines += [f"{name}: {value}" for name in ("identity", "passphrase") if (value := getattr(self, name))]
        lines += [f"about: {self.about}"]
        lines += [f"ledger: {line}" for line in self.ledger.splitlines()]
        lines += [f"now: {self.now}"] if self.now else []
        lines += [f"compressors: {entry}" for entry in self.compressors]
        lines += [f"encoding: {encoding}", "", ""]
        return "\n".join(lines).encode() + packed

    @classmethod
    def decode(cls, name: str, raw: bytes) -> Vector:
        head, _, packed = raw.partition(b"\n\n")
        zlib_packed = dict(_pairs(head))["encoding"] == "zlib"
        body = zlib.decompress(packed) if zlib_packed else lzma.decompress(packed)
        return replace(cls.announced(name, raw), body=body)

    @classmethod
    def announced(cls, name: str, raw: bytes) -> Vector:
        """The vector without its body, which may be large."""
        pairs = _pairs(raw.partition(b"\n\n")[0])
        single = dict(pairs)
        vector = cls(
            name=name,
            about=single["about"],
            violation=single.get("violation", ""),
            at=single.get("at", "verify"),
            trust=single["trust"],
            identity=single.get("identity", ""),
            passphrase=single.get("passphrase", ""),
            members=tuple((value[:-65], value[-64:]) for key, value in pairs if key == "members"),
            released=single.get("released", ""),
            compressors=tuple(value for key, value in pairs if key == "compressors"),
            ledger="".join(f"{value}\n" for key, value in pairs if key == "ledger"),
            now=single.get("now", ""),
            body=b"",
        )
        if vector.expect != single["expect"]:
            raise ValueError(f"{name}: {vector.violation!r} does not belong to {single['expect']}")
        return vector


def _pairs(head: bytes) -> list[tuple[str, str]]:
    return [(key, value) for key, _, value in (line.partition(": ") for line in head.decode().split("\n"))]


def accepted(
    name: str,
    about: str,
    rough: Draft,
    file: Sealed | None = None,
    *,
    trust: str = "ed25519",
    identity: str = "",
    passphrase: str = "",
) -> Vector:
    """A vector that a reader must accept; `file` where it is not just `rough` as it is."""
    return Vector(
        name=name,
        about=about,
        trust=trust,
        identity=identity,
        passphrase=passphrase,
        members=tuple((member.name, hashlib.sha256(member.data).hexdigest()) for member in rough.members),
        compressors=fingerprints(member.encoding for member in rough.members),
        body=(file or rough.seal()).encode(),
    )


def refused(
    name: str,
    violation: str,
    about: str,
    file: Draft | Sealed | bytes,
    *,
    at: str = "verify",
    trust: str = "ed25519",
    identity: str = "",
    passphrase: str = "",
    uses: Iterable[str] = (),
    released: bytes = b"",
) -> Vector:
    """A vector that a reader must refuse; `uses` names the compressors that took part in its bytes.

    `released` are the plain bytes of the members that can be read all the same.
    """
    if isinstance(file, Draft):
        uses = {*uses, *(member.encoding for member in file.members)}
        file = file.seal()
    body = file if isinstance(file, bytes) else file.encode()
    return Vector(
        name=name,
        about=about,
        violation=violation,
        at=at,
        trust=trust,
        identity=identity,
        passphrase=passphrase,
        released=hashlib.sha256(released).hexdigest() if at == "read" else "",
        compressors=fingerprints(uses),
        body=body,
    )


def keys() -> dict[str, bytes]:
    """The key files that stand beside the vectors."""
    secret = base64.b64encode(SHARED.secret)
    return {
        "test.pub": TEST.pem,
        "other.pub": OTHER.pem,
        "test.hmac": b"safeload hmac-sha256 key v1\n" + secret + b"\n",
        "machine.identity": MACHINE.pem,
        "second.identity": SECOND.pem,
    }


def whole() -> bytes:
    """An honest file, for scenarios that cut it or add to it."""
    return draft().seal().encode()


def fingerprints(encodings: Iterable[str]) -> tuple[str, ...]:
    """What tells one version of a compressor from another: their bytes may differ and be right."""
    return tuple(f"{encoding}={_fingerprint(encoding)}" for encoding in sorted(set(encodings) & COMPRESSORS.keys()))


@cache
def _fingerprint(encoding: str) -> str:
    samples = (b"", b"the bytes of a member", steps(100_000), steps(1_000_000))
    return hashlib.sha256(b"".join(COMPRESSORS[encoding](sample) for sample in samples)).hexdigest()[:16]


def steps(size: int) -> bytes:
    """Bytes that say where they are (each 64 KiB differ from the ones before) and shrink to nothing."""
    blocks = -(-size // 65_536)
    return b"".join(bytes([1 + index * 37 % 251]) * 65_536 for index in range(blocks))[:size]
