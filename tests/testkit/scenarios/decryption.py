"""Format 8: encrypted files for those who hold a key, honest ones and forged ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from testkit.colliding import wrapped_for_both
from testkit.container import OTHER, TEST, Member
from testkit.sealing import (
    CHUNK,
    FILE_KEY,
    MACHINE,
    SECOND,
    chunks_of,
    ciphertext,
    info,
    passphrase_stanza,
    sealed,
    stanza_for,
    stretched,
    with_wrapped,
)
from testkit.vector import Vector, accepted, refused, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testkit.container import Draft

WORDS = "correct horse"
TYPED = "cafe\u0301"


def vectors() -> Iterator[Vector]:
    yield from honest()
    yield from wraps()
    yield from chunks()
    yield from signers()


def honest() -> Iterator[Vector]:
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1):
        rough = sealed(Member("a", steps(size)))
        yield accepted(f"decrypt-{size}", f"A plaintext of {size} bytes.", rough, identity="machine")
    members = Member("a", b"1" * 100), Member("b", steps(50_000), encoding="zlib"), Member("c", b""), Member("d", b"2")
    yield accepted("decrypt-several", "Four members, one compressed.", sealed(*members), identity="machine")
    both = [stanza_for(MACHINE), stanza_for(SECOND)]
    yield accepted("decrypt-second", "The second of two recipients.", sealed(recipients=both), identity="second")
    rough = sealed(recipients=[passphrase_stanza(WORDS.encode())])
    yield accepted("decrypt-passphrase", "A passphrase.", rough, passphrase=WORDS)
    accented = sealed(recipients=[passphrase_stanza("caf\u00e9".encode())])
    about = "The passphrase was typed with a combining accent, and is taken in normal form C."
    yield accepted("decrypt-passphrase-nfc", about, accented, passphrase=TYPED)


def not_for_us(slug: str, about: str, rough: Draft, identity: str = "machine") -> Vector:
    return refused(f"unwrap-{slug}", "not-a-recipient", about, rough, at="read", identity=identity)


def wraps() -> Iterator[Vector]:
    one, two = stanza_for(MACHINE), stanza_for(SECOND)
    yield not_for_us("other", "The reader is not among the recipients.", sealed(), identity="second")
    swapped = [one | {"wrapped": two["wrapped"]}, two | {"wrapped": one["wrapped"]}]
    yield not_for_us("swapped", "Two stanzas have each other's wraps.", sealed(recipients=swapped))
    renamed = [two | {"keyid": one["keyid"]}]
    yield not_for_us("renamed", "The wrap is that of another recipient.", sealed(recipients=renamed))
    other_id = [stanza_for(MACHINE, words=info(container_id=bytes(16)))]
    yield not_for_us("container", "The wrap is that of another file.", sealed(recipients=other_id))
    other_signer = [stanza_for(MACHINE, words=info(OTHER.keyid))]
    yield not_for_us("signer", "The wrap was bound to another signer's keyid.", sealed(recipients=other_signer))
    other_key = [stanza_for(MACHINE, bytes(32))]
    yield not_for_us("commitment", "The wrapped key is not the one committed to.", sealed(recipients=other_key))
    short = [stanza_for(MACHINE, FILE_KEY) | {"wrapped": one["wrapped"][:-4] + "AAAA"}]
    yield not_for_us("tag", "The tag of the wrap was changed.", sealed(recipients=short))

    def wrong(slug: str, about: str, rough: Draft) -> Vector:
        return refused(slug, "wrong-passphrase", about, rough, at="read", passphrase=WORDS)

    yield wrong("passphrase-wrong", "Another passphrase.", sealed(recipients=[passphrase_stanza(b"another")]))
    stanza = passphrase_stanza(WORDS.encode(), bytes(32))
    yield wrong("passphrase-commitment", "It opens a key that is not committed to.", sealed(recipients=[stanza]))
    stanza = passphrase_stanza(WORDS.encode(), words=info(OTHER.keyid))
    yield wrong("passphrase-signer", "The wrap was bound to another signer's keyid.", sealed(recipients=[stanza]))
    wrapped = wrapped_for_both(stretched(b"the right one", info()), stretched(WORDS.encode(), info()))
    about = "A wrap that opens under two passphrases, into a key for each: the file is committed to the other one."
    file_key = AESGCM(stretched(b"the right one", info())).decrypt(bytes(12), wrapped, b"")
    rough = sealed(recipients=[with_wrapped(wrapped)], stored=ciphertext(Member().data, file_key))
    yield wrong("passphrase-partition", about, rough)
    rough = sealed(recipients=[passphrase_stanza(WORDS.encode())])
    about = "An identity for a file that takes a passphrase."
    yield refused("passphrase-identity", "no-identity", about, rough, at="read", identity="machine")


def corrupt(slug: str, about: str, member: Member, stored: bytes) -> Vector:
    rough = sealed(member, stored=stored)
    return refused(f"chunk-{slug}", "ciphertext-corrupt", about, rough, at="read", identity="machine")


def chunks() -> Iterator[Vector]:
    member = Member("a", steps(2 * CHUNK + 1))
    head, (first, second, last) = chunks_of(member.data)
    yield corrupt("swapped", "Two chunks stand in each other's place.", member, head + second + first + last)
    member = Member("a", steps(CHUNK + 1))
    head, (first, last) = chunks_of(member.data)
    (shorter,) = chunks_of(member.data[CHUNK:])[1]
    yield corrupt("of-a-shorter", "The end is that of a shorter plaintext.", member, head + first + shorter)
    changed = bytes([first[0] ^ 1]) + first[1:]
    yield corrupt("changed", "A bit of a chunk was changed.", member, head + changed + last)
    member = Member("a", steps(CHUNK))
    head, (full, empty) = chunks_of(member.data)
    about = "The last chunk is empty, and its tag is wrong: this is not the end."
    yield corrupt("empty-last", about, member, head + full + bytes(len(empty)))
    member = Member("a", b"")
    head, (empty,) = chunks_of(member.data)
    yield corrupt("empty-only", "The only chunk is empty, and its tag is wrong.", member, head + bytes(len(empty)))
    before = Member("a", steps(CHUNK))
    after = Member("b", steps(CHUNK + 100))
    head, (first, second, last) = chunks_of(before.data + after.data)
    about = "The second of two members was changed: the first is given out, and nothing of the second."
    rough = sealed(before, after, stored=head + first + second + last[:-1] + bytes([last[-1] ^ 1]))
    yield refused(
        "chunk-of-second-member",
        "ciphertext-corrupt",
        about,
        rough,
        at="read",
        identity="machine",
        released=before.data,
    )
    stored = ciphertext(Member().data)
    other_head = sealed(stored=stored[:24] + bytes(32) + stored[56:])
    yield not_for_us("no-commitment", "The commitment is zero.", other_head)
    yield not_for_us("salt", "The salt is another one.", sealed(stored=bytes(24) + stored[24:]))


def signers() -> Iterator[Vector]:
    rough = sealed(signer=OTHER.keyid, recipients=[stanza_for(MACHINE, words=info(OTHER.keyid))])
    about = "Encrypted by another signer, whose signature was stripped: a trusted key signed instead."
    yield refused("resigned", "untrusted-signer", about, rough, at="read", identity="machine")
    resigned = sealed(signer=TEST.keyid, recipients=[stanza_for(MACHINE, words=info(OTHER.keyid))])
    about = "Encrypted by another signer, and the one who signed instead says to be the one who encrypted."
    yield refused("resigned-as-own", "not-a-recipient", about, resigned, at="read", identity="machine")
    file = sealed(signer=OTHER.keyid, recipients=[stanza_for(MACHINE, words=info(OTHER.keyid))])
    about = "Two signed; the one who encrypted is one of the two."
    both = file.seal(signers=[TEST, OTHER])
    yield accepted("countersigned", about, file, both, trust="ed25519+other", identity="machine")
    about = "Two signed; of the one who encrypted the reader knows nothing."
    yield refused("countersigned-only", "untrusted-signer", about, both, at="read", identity="machine")
