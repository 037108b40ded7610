"""Format 8: encrypted files, as a reader without a key sees them. Most ciphertexts here are of nothing."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from testkit.container import TEST, Draft, Json, Member, Prelude, draft, verbatim
from testkit.sealing import sealed
from testkit.vector import Vector, refused, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

SALT_AND_COMMITMENT, TAG, CHUNK = 56, 16, 16_384
MOST = {"memory": 1_048_576, "passes": 16, "lanes": 16}


def vectors() -> Iterator[Vector]:
    yield from consistent()
    yield from contradictions()
    yield from fields()


def text(size: int) -> str:
    return base64.b64encode(bytes(range(size % 256)).ljust(size, b"\x5a")).decode()


def stanza(number: int = 0) -> Json:
    return {"type": "x25519", "keyid": f"{number:064x}", "enc": text(32), "wrapped": text(48)}


def passphrase(**values: int) -> Json:
    costs = {"memory": 65_536, "passes": 3, "lanes": 4} | values
    return {"type": "argon2id", "salt": text(16), **costs, "wrapped": text(48)}


def encrypted(*members: Member, recipients: list[Json] | None = None) -> Draft:
    """The plaintext is laid out and described as ever; what is stored has the length of its ciphertext."""
    members = members or (Member(),)
    plain = len(draft(*members).payload)
    stored = SALT_AND_COMMITMENT + plain + TAG * max(1, -(-plain // CHUNK))
    rough = draft(*members, prelude=Prelude(flags=1), payload=steps(stored))
    scheme = {
        "scheme": "cobblestone-256",
        "size": plain,
        "signer": TEST.keyid.hex(),
        "recipients": [stanza()] if recipients is None else recipients,
    }
    return rough.put("encryption", scheme)


def consistent() -> Iterator[Vector]:
    def unread(slug: str, about: str, rough: Draft) -> Vector:
        return refused(f"encrypted-{slug}", "no-identity", about, rough, at="read")

    yield unread("one", "One recipient.", encrypted())
    yield unread("hybrid", "A recipient of the hybrid type.", encrypted(recipients=[hybrid()]))
    yield unread("64", "64 recipients.", encrypted(recipients=[stanza(number) for number in range(64)]))
    yield unread("passphrase", "A passphrase.", encrypted(recipients=[passphrase()]))
    yield unread("passphrase-most", "A passphrase at its bounds.", encrypted(recipients=[passphrase(**MOST)]))
    members = Member("a", b"1" * 100), Member("b", steps(50_000), encoding="zlib"), Member("c", b"")
    yield unread("several", "Three members, one of them compressed.", encrypted(*members))


def hybrid() -> Json:
    return {"type": "mlkem768-x25519", "keyid": "0" * 64, "enc": text(1120), "wrapped": text(48)}


def contradictions() -> Iterator[Vector]:
    rough = draft(prelude=Prelude(flags=1))
    yield refused("encryption-null", "bad-value", "Flag bit 0 is set, encryption is null.", rough)
    rough = draft().put("encryption", encrypted().manifest["encryption"])
    yield refused("encryption-without-flag", "bad-value", "Flag bit 0 is clear, encryption is an object.", rough)
    for step, word in ((1, "more"), (-1, "less")):
        rough = encrypted().put("encryption.size", len(Member().data) + step)
        about = f"The plaintext is one byte {word} than its members."
        yield refused(f"encryption-size-one-{word}", "payload-length", about, rough)
    for step, word in ((1, "longer"), (-1, "shorter")):
        rough = sealed(stored=steps(SALT_AND_COMMITMENT + len(Member().data) + TAG + step))
        about = f"The ciphertext is one byte {word} than that of its plaintext."
        yield refused(f"ciphertext-one-{word}", "ciphertext-length", about, rough)
    file = encrypted().seal()
    file.payload = b"\xff" + file.payload[1:]
    yield refused("encryption-leaf", "leaf-mismatch", "A bit of the ciphertext changed.", file)
    rough = encrypted()
    rough.put("prelude.payload_len", rough.prelude.payload_len - 1)
    yield refused("signed-payload-len", "prelude-mismatch", "The signed payload_len is one less.", rough)
    file = encrypted().seal()
    file.prelude.flags = 0
    yield refused(
        "encryption-flag-cleared", "prelude-mismatch", "Somebody cleared flag bit 0 of an encrypted file.", file
    )


def fields() -> Iterator[Vector]:
    for slug, path, value, violation in (
        ("type", "encryption.size", verbatim("21.0"), "wrong-type"),
        ("recipients-object", "encryption.recipients", stanza(), "wrong-type"),
        ("unknown", "encryption.digest", "0" * 64, "unknown-key"),
        ("stanza-unknown", "encryption.recipients.0.label", "team", "unknown-key"),
        ("no-recipients", "encryption.recipients", [], "bad-value"),
        ("65-recipients", "encryption.recipients", [stanza(number) for number in range(65)], "bad-value"),
        ("two-passphrases", "encryption.recipients", [passphrase(), passphrase()], "bad-value"),
        ("passphrase-beside", "encryption.recipients", [stanza(), passphrase()], "bad-value"),
        ("memory", "encryption.recipients", [passphrase(memory=1_048_577)], "bad-value"),
        ("passes", "encryption.recipients", [passphrase(passes=17)], "bad-value"),
        ("lanes", "encryption.recipients", [passphrase(lanes=17)], "bad-value"),
        ("memory-of-lanes", "encryption.recipients", [passphrase(memory=31, lanes=4)], "bad-value"),
        ("salt-15", "encryption.recipients", [passphrase() | {"salt": text(15)}], "bad-value"),
        ("wrapped-49", "encryption.recipients", [passphrase() | {"wrapped": text(49)}], "bad-value"),
        ("enc-31", "encryption.recipients.0.enc", text(31), "bad-value"),
        ("wrapped-47", "encryption.recipients.0.wrapped", text(47), "bad-value"),
        ("hybrid-enc", "encryption.recipients", [hybrid() | {"enc": text(32)}], "bad-value"),
        ("keyid-twice", "encryption.recipients", [stanza(), hybrid()], "bad-value"),
        ("no-base64", "encryption.recipients.0.enc", "====", "bad-value"),
        ("unpadded", "encryption.recipients.0.enc", text(32).rstrip("="), "bad-value"),
    ):
        about = f"{path} is not what it may be."
        yield refused(f"encryption-{slug}", violation, about, encrypted().put(path, value))
    for path in ("encryption.signer", "encryption.size", "encryption.recipients.0.wrapped"):
        slug = path.rpartition(".")[2]
        yield refused(f"encryption-missing-{slug}", "missing-key", f"{path} is not there.", encrypted().drop(path))
