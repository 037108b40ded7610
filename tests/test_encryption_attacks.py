"""What somebody tries who holds an encrypted file, and perhaps keys of their own, but not the right ones."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import safeload
from safeload.container.layout import LEAF
from safeload.errors import (
    BadSignatureError,
    CorruptCiphertextError,
    CorruptMemberError,
    DigestMismatchError,
    FormatError,
    NotARecipientError,
    UntrustedSignerError,
    WrongPassphraseError,
)
from testkit.colliding import wrapped_for_both
from testkit.container import OTHER, STRANGER, TEST, Member, draft, record, to_json
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

if TYPE_CHECKING:
    from pathlib import Path

    from testkit.container import Draft, Sealed


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class Desk:
    """A reader's machine: it trusts TEST, and holds the identity of MACHINE."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "model.safeload"
        self.trust = folder / "test.pub"
        self.trust.write_bytes(TEST.pem)
        for name, reader in (("machine", MACHINE), ("second", SECOND)):
            path = folder / f"{name}.identity"
            path.write_bytes(reader.pem)
            path.chmod(0o600)
        self.identity, self.second = folder / "machine.identity", folder / "second.identity"

    def put(self, file: Draft | Sealed | bytes | bytearray) -> None:
        if not isinstance(file, (bytes, bytearray)):
            file = (file.seal() if hasattr(file, "seal") else file).encode()
        self.file.write_bytes(file)

    def read(self, **how: Any) -> bytes:
        how = {"identity": self.identity} | how
        with safeload.verify(self.file, trust=how.pop("trust", self.trust)) as artifact:
            artifact.unlock(**how)
            return b"".join(bytes(artifact.read(member.name)) for member in artifact.members)


def test_the_desk_reads_what_is_honest(desk: Desk) -> None:
    desk.put(sealed(Member("a", b"secret")))
    assert desk.read() == b"secret"


# --- stripping, re-signing, forwarding --------------------------------------------------------


def test_stripping_a_signature_and_signing_anew_decrypts_nothing(desk: Desk, tmp_path: Path) -> None:
    """The attacker is trusted for files of their own, and wants the machine to decrypt somebody else's."""
    words = info(OTHER.keyid)
    theirs = sealed(signer=OTHER.keyid, recipients=[stanza_for(MACHINE, words=words)])
    desk.put(theirs.seal(signers=[TEST]))
    with pytest.raises(UntrustedSignerError) as caught:
        desk.read()
    assert caught.value.keyids == (OTHER.keyid.hex(),)
    desk.put(theirs.put("encryption.signer", TEST.keyid.hex()).seal(signers=[TEST]))
    with pytest.raises(NotARecipientError):
        desk.read()
    store = tmp_path / "keys"
    store.mkdir()
    for name, key in (("test", TEST), ("other", OTHER)):
        (store / f"{name}.pub").write_bytes(key.pem)
    with pytest.raises(NotARecipientError):
        desk.read(trust=store)


def test_a_signature_of_the_right_key_over_another_manifest_does_not_help(desk: Desk) -> None:
    honest = sealed()
    forged = sealed().put("metadata", {"owner": "somebody else"})
    file = forged.seal(signers=[TEST])
    file.records = [record(TEST, honest.raw())]
    desk.put(file)
    with pytest.raises(BadSignatureError):
        desk.read()


def test_a_recipient_cannot_forward_the_file_to_a_third_party(desk: Desk) -> None:
    """MACHINE knows the file key and wraps it for SECOND; the signer's signature is not over that manifest."""
    honest = sealed()
    forwarded = sealed(recipients=[stanza_for(SECOND)])
    file = forwarded.seal(signers=[STRANGER])
    file.records.append(record(TEST, honest.raw()))
    desk.put(file)
    with pytest.raises(BadSignatureError):
        desk.read(identity=desk.second)
    desk.put(forwarded.seal(signers=[STRANGER]))
    with pytest.raises(UntrustedSignerError):
        desk.read(identity=desk.second)


def test_a_countersignature_does_not_stand_in_for_the_signer(desk: Desk, tmp_path: Path) -> None:
    desk.put(sealed().seal(signers=[TEST, OTHER]))
    (tmp_path / "other.pub").write_bytes(OTHER.pem)
    assert desk.read() == Member().data
    with pytest.raises(UntrustedSignerError) as caught:
        desk.read(trust=tmp_path / "other.pub")
    assert "trust it too" in caught.value.hint


def test_a_store_that_takes_files_from_anybody_decrypts_nothing(desk: Desk) -> None:
    desk.put(sealed())
    with pytest.warns(safeload.UnsafeWarning):
        store = safeload.TrustStore.unsafe_accept_any()
    with pytest.raises(UntrustedSignerError) as caught:
        desk.read(trust=store)
    assert "verifies nobody" in caught.value.hint


def test_the_signer_is_checked_before_any_key_is_used(desk: Desk) -> None:
    """Else who may not sign could have costs of their choice paid, or watch how keys fail."""
    desk.put(sealed(signer=OTHER.keyid, recipients=[passphrase_stanza(b"x") | {"memory": 1_048_576, "passes": 16}]))
    with pytest.raises(UntrustedSignerError):
        desk.read(identity="there is no such file", passphrase="x")


# --- wraps ------------------------------------------------------------------------------------


def test_every_failing_wrap_is_the_same_error(desk: Desk) -> None:
    one, two = stanza_for(MACHINE), stanza_for(SECOND)
    texts = set()
    for stanza in (
        one | {"wrapped": two["wrapped"]},
        stanza_for(MACHINE, words=info(OTHER.keyid)),
        stanza_for(MACHINE, words=info(container_id=bytes(16))),
        stanza_for(MACHINE, bytes(32)),
        one | {"enc": with_wrapped(bytes(32))["wrapped"]},
    ):
        desk.put(sealed(recipients=[stanza]))
        with pytest.raises(NotARecipientError) as caught:
            desk.read()
        texts.add((str(caught.value), caught.value.hint))
    assert len(texts) == 1


def test_swapped_stanzas_open_for_neither(desk: Desk) -> None:
    one, two = stanza_for(MACHINE), stanza_for(SECOND)
    desk.put(sealed(recipients=[one | {"keyid": two["keyid"]}, two | {"keyid": one["keyid"]}]))
    for identity in (desk.identity, desk.second):
        with pytest.raises(NotARecipientError):
            desk.read(identity=identity)


@pytest.mark.parametrize("beside", [passphrase_stanza(b"b"), stanza_for(MACHINE)], ids=["passphrase", "recipient"])
def test_a_passphrase_stands_alone(desk: Desk, beside: Any) -> None:
    desk.put(sealed(recipients=[passphrase_stanza(b"a"), beside]))
    with pytest.raises(FormatError) as caught:
        desk.read(passphrase="a")
    assert caught.value.violation == "bad-value"


@pytest.mark.parametrize("cost", [{"memory": 1 << 30}, {"passes": 1 << 30}, {"lanes": 1 << 20}, {"memory": 7}])
def test_costs_beyond_their_bounds_are_refused_before_they_are_paid(desk: Desk, cost: dict[str, int]) -> None:
    desk.put(sealed(recipients=[passphrase_stanza(b"a") | cost]))
    with pytest.raises(FormatError) as caught:
        desk.read(passphrase="a")
    assert caught.value.violation == "bad-value"


# --- one ciphertext for several keys ----------------------------------------------------------


def test_a_wrap_made_for_two_passphrases_opens_with_one_and_does_not_tell_the_other_apart(desk: Desk) -> None:
    """A partitioning oracle: each try would test many passphrases, if the error told which step failed."""
    keys = [stretched(word, info()) for word in (b"first", b"second")]
    wrapped = wrapped_for_both(*keys)
    file_keys = [AESGCM(key).decrypt(bytes(12), wrapped, b"") for key in keys]  # the forgery works, for AES-GCM
    assert file_keys[0] != file_keys[1]
    stored = ciphertext(Member().data, file_keys[0])
    desk.put(sealed(recipients=[with_wrapped(wrapped)], stored=stored))
    assert desk.read(passphrase="first") == Member().data
    answers = set()
    for word in ("second", "third"):
        with pytest.raises(WrongPassphraseError) as caught:
            desk.read(passphrase=word)
        answers.add((type(caught.value), str(caught.value), caught.value.hint))
    assert len(answers) == 1


def test_a_head_is_committed_to_one_key(desk: Desk) -> None:
    """Without the check one file could be a harmless model for the auditor and another one for the machine."""
    head, _ = chunks_of(b"", bytes(32))
    _, body = chunks_of(Member().data)
    desk.put(sealed(stored=head + b"".join(body)))
    with pytest.raises(NotARecipientError):
        desk.read()


def test_two_recipients_with_two_keys_cannot_both_read(desk: Desk) -> None:
    stanzas = [stanza_for(MACHINE, FILE_KEY), stanza_for(SECOND, bytes(32))]
    desk.put(sealed(recipients=stanzas))
    assert desk.read() == Member().data
    with pytest.raises(NotARecipientError):
        desk.read(identity=desk.second)


# --- chunks -----------------------------------------------------------------------------------

LONG = bytes(range(256)) * 200  # 51,200 bytes: three chunks and a short one


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 0, 2, 3), (0, 2, 1, 3)], ids=str)
def test_chunks_in_another_order_are_refused(desk: Desk, order: tuple[int, ...]) -> None:
    head, sealed_chunks = chunks_of(LONG)
    desk.put(sealed(Member("a", LONG), stored=head + b"".join(sealed_chunks[number] for number in order)))
    with pytest.raises(CorruptCiphertextError) as caught:
        desk.read()
    assert caught.value.chunk == next(at for at, number in enumerate(order) if at != number)


def test_a_plaintext_that_was_cut_at_a_chunk_has_no_end(desk: Desk) -> None:
    """The last chunk is short, and its number is in its nonce: a whole one cannot be the last."""
    head, sealed_chunks = chunks_of(LONG)
    cut = head + b"".join(sealed_chunks[:2])
    for size in (2 * CHUNK, 2 * CHUNK - 1):
        desk.put(sealed(Member("a", LONG[:size]), stored=cut))
        with pytest.raises(FormatError) as caught:
            desk.read()
        assert caught.value.violation == "ciphertext-length"
    desk.put(sealed(Member("a", LONG[: 2 * CHUNK]), stored=cut + bytes(16)))
    with pytest.raises(CorruptCiphertextError):
        desk.read()


def test_a_truncated_chunk_is_refused(desk: Desk) -> None:
    head, sealed_chunks = chunks_of(LONG)
    short = sealed_chunks[-1][:-17] + sealed_chunks[-1][-16:]
    desk.put(sealed(Member("a", LONG[:-1]), stored=head + b"".join(sealed_chunks[:-1]) + short))
    with pytest.raises(CorruptCiphertextError):
        desk.read()


def test_a_changed_file_is_noticed_before_anything_is_decrypted(desk: Desk) -> None:
    data = bytearray(sealed(Member("a", LONG)).seal().encode())
    data[4096 + 60] ^= 1
    desk.put(data)
    with safeload.inspect(desk.file) as opened, pytest.raises(DigestMismatchError):
        opened.verify(safeload.TrustStore.from_file(desk.trust)).read("a", identity="there is no such file")


def test_a_member_needs_only_its_own_leaves(desk: Desk) -> None:
    members = Member("a", b"1" * LEAF), Member("b", b"2" * LEAF), Member("c", b"3" * LEAF)
    data = bytearray(sealed(*members).seal().encode())
    data[4096 + LEAF + LEAF // 2] ^= 1
    desk.put(data)
    with safeload.inspect(desk.file) as opened:
        artifact = opened.verify(safeload.TrustStore.from_file(desk.trust))
        artifact.unlock(identity=desk.identity)
        assert artifact.read("c") == members[2].data
        with pytest.raises(DigestMismatchError):
            artifact.read("b")
        artifact.close()


def test_bytes_between_encrypted_members_must_be_zero(desk: Desk) -> None:
    members = Member("a", b"1"), Member("b", b"2")
    plain = bytearray(draft(*members).payload)
    plain[30] = 1
    desk.put(sealed(*members, stored=ciphertext(bytes(plain))))
    with pytest.raises(CorruptMemberError) as caught:
        desk.read()
    assert caught.value.violation == "member-padding"


class Mark:
    """It notes that it was rebuilt."""

    seen: ClassVar[list[int]] = []

    def __setstate__(self, state: dict[str, int]) -> None:
        Mark.seen.append(state["number"])


def _marked() -> bytes:
    mark = Mark()
    mark.__dict__["number"] = 7
    return pickle.dumps([mark, LONG], 2)


@pytest.mark.parametrize("chunk", [0, 1, 2, 3])
def test_the_unpickler_sees_nothing_of_a_member_that_fails_anywhere(desk: Desk, chunk: int) -> None:
    data = _marked()
    head, sealed_chunks = chunks_of(data)
    policy = safeload.Policy.default().allow(f"{__name__}.Mark")
    how: dict[str, Any] = {"trust": desk.trust, "identity": desk.identity, "policy": policy, "environment": "ignore"}
    Mark.seen.clear()
    bad = [*sealed_chunks]
    bad[chunk] = bad[chunk][:-1] + bytes([bad[chunk][-1] ^ 1])
    desk.put(sealed(Member("m", data, kind="joblib"), stored=head + b"".join(bad)))
    with pytest.raises(CorruptCiphertextError) as caught:
        safeload.load(desk.file, **how)
    assert (caught.value.chunk, Mark.seen) == (chunk, [])
    desk.put(sealed(Member("m", data, kind="joblib")))
    safeload.load(desk.file, **how)
    assert Mark.seen == [7]


# --- what is in the clear ---------------------------------------------------------------------


def test_no_digest_of_the_plaintext_stands_in_the_clear(desk: Desk) -> None:
    plain = sealed(Member("a", LONG))
    manifest = to_json(plain.manifest)
    root = json.loads(draft(Member("a", LONG)).raw())["payload"]["root"]
    assert root.encode() not in manifest


def test_rewrap_keeps_what_this_version_does_not_know(desk: Desk, tmp_path: Path) -> None:
    desk.put(sealed().put("x-ticket", {"id": 5}))
    safeload.keygen(tmp_path / "new")
    safeload.keygen(tmp_path / "reader", "x25519")
    safeload.rewrap(
        desk.file,
        recipients=tmp_path / "reader.recipient",
        signer=tmp_path / "new.key",
        trust=desk.trust,
        identity=desk.identity,
    )
    with safeload.inspect(desk.file) as opened:
        assert json.loads(opened.manifest_bytes)["x-ticket"] == {"id": 5}
    assert desk.read(trust=tmp_path / "new.pub", identity=tmp_path / "reader.identity") == Member().data
