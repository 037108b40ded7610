"""Format 7: records, and whose signature counts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from testkit.container import OTHER, SHARED, STRANGER, TEST, Hmac, Record, Sealed, draft, pae, record
from testkit.vector import Vector, accepted, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

# The order of the Ed25519 group: S and S + L are two signatures of one message for a careless verifier.
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def vectors() -> Iterator[Vector]:
    yield from framing()
    yield from counts()
    yield from who()
    yield from wrong()
    yield from messages()
    yield from algorithms()
    yield from shared_keys()
    yield from public_key_as_hmac()
    yield from before_parsing()


def honest() -> Record:
    return record(TEST, draft().raw())


def unknown(number: int = 0, alg: int = 77, size: int = 100) -> Record:
    """A record that nobody here can judge."""
    return Record(sig=bytes(size), keyid=hashlib.sha256(b"unknown %d" % number).digest(), alg=alg)


def bearing(*records: Record) -> Sealed:
    file = draft().seal()
    file.records = list(records)
    return file


def framing() -> Iterator[Vector]:
    """A second, honest record follows the bent one, so that no length reaches past the end."""
    for number in (0, 2, 256, 65_535):
        bent = unknown()
        bent.type = number
        yield refused(
            f"record-type-{number}", "unsupported-record", f"A record of type {number}.", bearing(bent, honest())
        )
    bent = honest()
    bent.type = 2
    yield refused(
        "record-type-2-trusted", "unsupported-record", "A trusted signature in a record of type 2.", bearing(bent)
    )
    for slug, about, keyid_len, sig_len, length in (
        ("length-one-more", "length is one more than its parts.", 32, 100, 136),
        ("length-one-less", "length is one less than its parts.", 32, 100, 134),
        ("length-zero", "length is 0.", 32, 100, 0),
        ("keyid-len-31", "keyid_len is 31.", 31, 100, 135),
        ("keyid-len-33", "keyid_len is 33.", 33, 100, 135),
        ("keyid-len-zero", "keyid_len is 0.", 0, 100, 135),
        ("sig-len-one-more", "sig_len is one more than length has room for.", 32, 101, 135),
        ("sig-len-one-less", "sig_len is one less than what length says.", 32, 99, 135),
    ):
        bent = unknown()
        bent.keyid_len, bent.sig_len, bent.length = keyid_len, sig_len, length
        yield refused(f"record-{slug}", "record-length", about, bearing(bent, honest()))
    for size in (20, 31, 33, 64):
        bent = Record(sig=bytes(100), keyid=bytes(size))
        about = f"A key id of {size} bytes, all lengths in agreement."
        yield refused(f"record-keyid-of-{size}", "record-length", about, bearing(bent, honest()))
    bent = unknown(size=0)
    yield refused("record-no-signature", "record-length", "A signature of no bytes.", bearing(bent, honest()))
    bent = honest()
    bent.length = (1 << 32) - 1
    yield refused("record-length-huge", "record-length", "length is 2^32 - 1.", bearing(bent))
    bent = honest()
    bent.sig_len, bent.length = 65_535, 65_570
    yield refused(
        "record-past-the-end", "trailing-bytes", "A record of 64 KiB of which 64 bytes are there.", bearing(bent)
    )


def counts() -> Iterator[Vector]:
    yield refused("unsigned", "unsigned", "No record at all.", draft().seal(signers=()))
    crowd = [unknown(number) for number in range(32)]
    about = "32 records of strangers before a good one."
    yield refused("records-33", "too-many-records", about, bearing(*crowd, honest()))
    yield accepted("records-32", "31 records of strangers before a good one.", draft(), bearing(*crowd[:31], honest()))
    yield accepted(
        "record-longest", "A stranger's signature of 65,535 bytes.", draft(), bearing(unknown(size=65_535), honest())
    )
    yield accepted("record-shortest", "A stranger's signature of 1 byte.", draft(), bearing(unknown(size=1), honest()))
    for slug, about, records in (
        ("twice", "One good record twice.", (honest(), honest())),
        ("other-alg", "A good record, and its key id again with another alg.", (honest(), algorithm(2))),
        ("good-then-bad", "A good record and a bad one of one key.", (honest(), bad())),
        ("bad-then-good", "A bad record and a good one of one key.", (bad(), honest())),
        ("strangers", "Two strangers with one key id beside a good record.", (honest(), unknown(), unknown(alg=78))),
        ("apart", "The first record comes again as the last.", (unknown(), honest(), unknown(1), unknown())),
    ):
        yield refused(f"keyid-{slug}", "duplicate-keyid", about, bearing(*records))


def algorithm(number: int) -> Record:
    bent = honest()
    bent.alg = number
    return bent


def bad(signer: str = "test") -> Record:
    bent = record(OTHER, draft().raw()) if signer == "other" else honest()
    bent.sig = bytes([bent.sig[0] ^ 1]) + bent.sig[1:]
    return bent


def who() -> Iterator[Vector]:
    rough = draft()
    raw = rough.raw()
    good, other, stranger = honest(), record(OTHER, raw), record(STRANGER, raw)
    both = "ed25519+other"
    yield accepted("signed-by-two", "Two trusted signatures.", rough, bearing(good, other), trust=both)
    yield accepted("signed-by-one-of-two", "One of two trusted keys signed.", rough, bearing(other), trust=both)
    yield accepted("signed-and-stranger", "A trusted signature and a stranger's.", rough, bearing(good, stranger))
    yield accepted("stranger-first", "A stranger's signature and a trusted one.", rough, bearing(stranger, good))
    forged = record(STRANGER, b"{}")
    yield accepted(
        "signed-and-strangers-forgery", "A stranger's signature is wrong, too.", rough, bearing(forged, good)
    )
    yield accepted(
        "signed-and-unknown-alg", "A stranger signed with an algorithm of later.", rough, bearing(unknown(), good)
    )
    for alg in (0, 3, 4, 5, 65_535):
        file = bearing(good, unknown(alg=alg))
        yield accepted(f"signed-and-alg-{alg}", f"A stranger's record says algorithm {alg}.", rough, file)

    def untrusted(slug: str, about: str, *records: Record) -> Vector:
        return refused(f"untrusted-{slug}", "untrusted-signer", about, bearing(*records))

    yield untrusted("stranger", "Only a stranger signed.", stranger)
    yield untrusted("strangers", "Three strangers signed.", stranger, other, unknown())
    yield untrusted("unknown-alg", "A stranger signed, with an algorithm of later.", unknown())
    for slug, about, keyid in (
        ("keyid-zero", "A right signature under a key id of zeros.", bytes(32)),
        (
            "keyid-bit",
            "A right signature, and one bit of the key id is wrong.",
            bytes([TEST.keyid[0] ^ 1]) + TEST.keyid[1:],
        ),
        ("keyid-of-pem", "The key id is that of the PEM text.", hashlib.sha256(TEST.pem).digest()),
        ("keyid-of-raw-key", "The key id is that of the raw 32 bytes.", hashlib.sha256(raw_key()).digest()),
        ("keyid-is-the-key", "The key itself stands for the key id.", raw_key()),
        ("keyid-of-stranger", "A right signature under a stranger's key id.", STRANGER.keyid),
    ):
        yield untrusted(slug, about, Record(sig=good.sig, keyid=keyid))


def raw_key() -> bytes:
    return TEST.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def wrong() -> Iterator[Vector]:
    def bent(slug: str, about: str, *records: Record, trust: str = "ed25519") -> Vector:
        return refused(f"signature-{slug}", "bad-signature", about, bearing(*records), trust=trust)

    good = honest()
    other = record(OTHER, draft().raw())
    for at in (0, 31, 32, 63):
        sig = good.sig[:at] + bytes([good.sig[at] ^ 1]) + good.sig[at + 1 :]
        yield bent(f"bit-{at}", f"One bit of byte {at} changed.", Record(sig=sig, keyid=TEST.keyid))
    scalar = int.from_bytes(good.sig[32:], "little") + GROUP_ORDER
    for slug, about, sig in (
        ("zeros", "64 zero bytes.", bytes(64)),
        ("short", "The last byte is missing.", good.sig[:-1]),
        ("long", "A zero byte follows.", good.sig + b"\0"),
        ("one-byte", "One byte of it.", good.sig[:1]),
        ("twice", "The signature twice in one record.", good.sig * 2),
        ("malleable", "S + L in place of S, as RFC 8032 forbids.", good.sig[:32] + scalar.to_bytes(32, "little")),
        ("hex", "The signature as text.", good.sig.hex().encode()),
        ("of-other", "Another key's signature under a trusted key id.", other.sig),
    ):
        yield bent(slug, about, Record(sig=sig, keyid=TEST.keyid))
    both = "ed25519+other"
    swapped = Record(sig=other.sig, keyid=TEST.keyid), Record(sig=good.sig, keyid=OTHER.keyid)
    yield bent("keyids-swapped", "Two trusted keys' signatures, each under the other's id.", *swapped, trust=both)
    yield bent("wrong-one-of-two", "Right by one trusted key, under another's id.", swapped[1], trust=both)
    yield bent(
        "good-and-bad", "A good signature, and a bad one of a second trusted key.", good, bad("other"), trust=both
    )
    yield bent("bad-and-good", "The same in the other order.", bad("other"), good, trust=both)
    yield bent("bad-and-stranger", "A bad signature beside a stranger's.", bad(), unknown())
    file = draft().seal()
    file.manifest = file.manifest.replace(b"model.bin", b"other.bin")
    yield refused("signature-stale", "bad-signature", "The manifest changed after it was signed.", file)
    yield refused("signature-same-json", "bad-signature", "One space was added to the manifest.", respaced())


def respaced() -> Sealed:
    """The same JSON value in other bytes, under the signature of the first."""
    rough = draft()
    file = rough.seal(rough.raw() + b" ")
    file.records = [record(TEST, rough.raw())]
    return file


@dataclass(frozen=True, slots=True)
class Message:
    slug: str
    about: str
    bytes: bytes


def messages() -> Iterator[Vector]:
    """Right key, right signature, of something that is not the PAE of this manifest."""
    raw = draft().raw()
    right = pae(raw)
    head, _, _ = right.partition(b"{")
    length = b" %d " % len(raw)
    for message in (
        Message("bare", "The manifest without the encoding.", raw),
        Message("in-toto", "The encoding with in-toto's type.", pae(raw, b"application/vnd.in-toto+json")),
        Message(
            "v2", "The encoding with the next version's type.", pae(raw, b"application/vnd.safeload.manifest.v2+json")
        ),
        Message("dsse-v2", "The encoding's own version is another.", right.replace(b"DSSEv1", b"DSSEv2", 1)),
        Message("leading-zero", "A length with a leading zero.", right.replace(length, b" 0%d " % len(raw), 1)),
        Message("length-plus-one", "A length that is one more.", right.replace(length, b" %d " % (len(raw) + 1), 1)),
        Message("hex-length", "A length in hexadecimal.", right.replace(length, b" %x " % len(raw), 1)),
        Message("no-space", "No space before the manifest.", head[:-1] + raw),
        Message("newline", "A newline after the manifest.", right + b"\n"),
        Message("digest", "The digest of the encoding.", hashlib.sha256(right).digest()),
        Message("empty-manifest", "The encoding of an empty manifest.", pae(b"")),
    ):
        bent = Record(sig=TEST.sign(message.bytes), keyid=TEST.keyid)
        yield refused(f"signed-{message.slug}", "bad-signature", message.about, bearing(bent))


def algorithms() -> Iterator[Vector]:
    for number in (0, 2, 3, 4, 5, 256, 65_535):
        about = f"A right signature of a trusted Ed25519 key, in a record that says algorithm {number}."
        yield refused(f"alg-{number}", "bad-signature", about, bearing(algorithm(number)))


def shared_keys() -> Iterator[Vector]:
    rough = draft()
    raw = rough.raw()
    tag = record(SHARED, raw)
    good = honest()
    yield accepted("hmac", "Authenticated with a shared key that was named.", rough, bearing(tag), trust="hmac")
    yield accepted(
        "hmac-and-ed25519", "A shared key and a public key, both trusted.", rough, bearing(tag, good), trust="both"
    )
    yield accepted("hmac-beside-a-folder", "A shared key, named beside a folder.", rough, bearing(tag), trust="both")
    yield accepted("hmac-of-strangers", "A shared key that is not trusted here.", rough, bearing(tag, good))
    about = "A shared key lies in the trusted folder and was not named."
    yield refused("hmac-not-named", "untrusted-signer", about, bearing(tag), trust="folder-with-hmac")
    yield accepted(
        "hmac-not-named-and-ed25519",
        "The same, with a good signature: the shared key's record is ignored.",
        rough,
        bearing(tag, good),
        trust="folder-with-hmac",
    )
    untrusted = record(Hmac(bytes(32)), raw)
    yield refused("hmac-stranger", "untrusted-signer", "Another shared key.", bearing(untrusted), trust="hmac")
    yield refused("hmac-ed25519-only", "untrusted-signer", "Only a public key signed.", bearing(good), trust="hmac")
    for slug, about, sig, alg in (
        ("bit", "One bit of the tag changed.", bytes([tag.sig[0] ^ 1]) + tag.sig[1:], 2),
        ("short", "Half of the tag.", tag.sig[:16], 2),
        ("long", "A zero byte follows the tag.", tag.sig + b"\0", 2),
        ("one-byte", "One byte of the tag.", tag.sig[:1], 2),
        ("zeros", "A tag of zeros.", bytes(32), 2),
        ("bare", "The tag of the manifest without the encoding.", SHARED.sign(raw), 2),
        ("plain-digest", "The encoding's digest, without any key.", hashlib.sha256(pae(raw)).digest(), 2),
        ("alg-1", "The right tag in a record that says Ed25519.", tag.sig, 1),
        ("ed25519-signature", "An Ed25519 signature under the shared key's id.", good.sig, 1),
    ):
        bent = Record(sig=sig, keyid=SHARED.keyid, alg=alg)
        yield refused(f"hmac-{slug}", "bad-signature", about, bearing(bent), trust="hmac")
    bent = Record(sig=bytes(32), keyid=SHARED.keyid, alg=2)
    about = "A wrong tag beside a good signature, both keys trusted."
    yield refused("hmac-wrong-beside-good", "bad-signature", about, bearing(good, bent), trust="both")


def public_key_as_hmac() -> Iterator[Vector]:
    """What is public cannot be a secret: the file may not turn a verifying key into an HMAC key."""
    message = pae(draft().raw())
    for slug, key in (("spki", TEST.spki), ("raw", raw_key()), ("pem", TEST.pem)):
        tag = Hmac(key).sign(message)
        for trust in ("ed25519", "both"):
            about = f"An HMAC with the public key's {slug} bytes under its key id (trust: {trust})."
            bent = Record(sig=tag, keyid=TEST.keyid, alg=2)
            yield refused(f"public-key-as-hmac-{slug}-{trust}", "bad-signature", about, bearing(bent), trust=trust)
        about = f"An HMAC with the public key's {slug} bytes, in a record that says Ed25519."
        bent = Record(sig=tag, keyid=TEST.keyid, alg=1)
        yield refused(f"public-key-as-hmac-{slug}-alg-1", "bad-signature", about, bearing(bent))
        about = f"An HMAC with the public key's {slug} bytes under the id of such a shared key."
        bent = Record(sig=tag, keyid=Hmac(key).keyid, alg=2)
        yield refused(f"public-key-as-hmac-{slug}-own-id", "untrusted-signer", about, bearing(bent), trust="both")


def before_parsing() -> Iterator[Vector]:
    """Format 10: nobody parses what nobody trusted has signed."""
    text = b'{"v":' + b"[" * 100_000
    file = draft().seal(text, signers=())
    yield refused("order-unsigned-first", "unsigned", "A manifest that is no JSON, and no record.", file)
    file = draft().seal(text, signers=(STRANGER,))
    yield refused("order-untrusted-first", "untrusted-signer", "A stranger signed a manifest that is no JSON.", file)
    file = draft().seal(text)
    file.records = [honest()]
    yield refused("order-signature-first", "bad-signature", "A bad signature of a manifest that is no JSON.", file)
