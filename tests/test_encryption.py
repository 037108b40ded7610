"""Files that are encrypted and signed, used as files that are signed are used."""

from __future__ import annotations

import copy
import io
import os
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import safeload
from conftest import Keys
from safeload.container.ciphertext import CHUNK, stored_length
from safeload.container.layout import LEAF, PAYLOAD_OFF
from safeload.errors import (
    DecryptionError,
    KeyFileError,
    KeyPermissionsError,
    NoIdentityError,
    NotARecipientError,
    WrongPassphraseError,
)

if TYPE_CHECKING:
    from pathlib import Path

VALUE: dict[str, Any] = {"a": np.arange(50_000.0), "b": ["text", 1]}


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """``key`` is the identity, ``pub`` the recipient."""
    return _pair(tmp_path_factory.mktemp("readers"), "machine", "x25519")


@pytest.fixture(scope="session")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return _pair(tmp_path_factory.mktemp("readers"), "hybrid", "mlkem768-x25519")


def _pair(folder: Path, name: str, kind: Any) -> Keys:
    made = safeload.keygen(folder / name, kind)
    return Keys(*made.paths)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "model.safeload"


def _same(loaded: Any) -> bool:
    return np.array_equal(loaded["a"], VALUE["a"]) and loaded["b"] == VALUE["b"]


@pytest.mark.parametrize("compress", [0, "zlib", "zstd", ("lzma", 1)], ids=str)
@pytest.mark.parametrize("digest", ["blake3", "sha256"])
def test_an_encrypted_model_comes_back_the_same(
    target: Path, team: Keys, machine: Keys, compress: Any, digest: str
) -> None:
    safeload.dump(VALUE, target, compress, signer=team.key, recipients=[machine.pub], digest=digest)
    assert _same(safeload.load(target, trust=team.pub, identity=machine.key))


@pytest.mark.parametrize("mode", ["r", "c", None])
def test_mmap_mode_says_who_may_write(target: Path, team: Keys, machine: Keys, mode: str | None) -> None:
    safeload.dump(VALUE, target, signer=team.key, recipients=machine.pub)
    loaded = safeload.load(target, mode, trust=team.pub, identity=machine.key)
    assert loaded["a"].flags.writeable == (mode != "r")


def test_each_of_several_recipients_reads_and_nobody_else(
    tmp_path: Path, target: Path, team: Keys, machine: Keys, hybrid: Keys
) -> None:
    safeload.dump(VALUE, target, signer=team.key, recipients=[machine.pub, safeload.Recipient.from_file(hybrid.pub)])
    for reader in (machine.key, str(hybrid.key), safeload.Identity.from_file(hybrid.key)):
        assert _same(safeload.load(target, trust=team.pub, identity=reader))
    other = _pair(tmp_path, "other", "x25519")
    with pytest.raises(NotARecipientError) as caught:
        safeload.load(target, trust=team.pub, identity=other.key)
    assert caught.value.keyid == safeload.Identity.from_file(other.key).keyid
    assert "rewrap" in caught.value.hint


def test_an_auditor_verifies_what_they_cannot_read(target: Path, team: Keys, machine: Keys) -> None:
    safeload.dump(VALUE, target, signer=team.key, recipients=[machine.pub])
    with safeload.verify(target, trust=team.pub) as artifact:
        assert artifact.manifest.encryption is not None
        assert artifact.manifest.encryption.recipients[0]["keyid"] == safeload.Recipient.from_file(machine.pub).keyid
        with pytest.raises(NoIdentityError, match="SAFELOAD_IDENTITY") as caught:
            artifact.load()
        assert caught.value.wants == "identity"
        assert _same(artifact.load(identity=machine.key))
    with safeload.inspect(target) as opened:
        assert opened.layout.encrypted


def test_the_identity_may_come_from_the_environment(
    target: Path, team: Keys, machine: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeload.dump(VALUE, target, signer=team.key, recipients=[machine.pub])
    monkeypatch.setenv("SAFELOAD_IDENTITY", str(machine.key))
    assert _same(safeload.load(target, trust=team.pub))
    monkeypatch.setenv("SAFELOAD_IDENTITY", "absent")
    safeload.dump(VALUE, target, signer=team.key)
    assert _same(safeload.load(target, trust=team.pub))  # what is not encrypted asks for nobody


def test_a_passphrase_reads_and_another_one_does_not(target: Path, team: Keys, machine: Keys) -> None:
    safeload.dump(VALUE, target, signer=team.key, passphrase="café au lait")
    assert _same(safeload.load(target, trust=team.pub, passphrase="cafe\u0301 au lait"))
    assert _same(safeload.load(target, trust=team.pub, passphrase="café au lait".encode(), identity=machine.key))
    with pytest.raises(WrongPassphraseError):
        safeload.load(target, trust=team.pub, passphrase="cafe au lait")
    with pytest.raises(NoIdentityError) as caught:
        safeload.load(target, trust=team.pub, identity=machine.key)
    assert caught.value.wants == "passphrase"


def test_the_passphrase_costs_what_rfc_9106_recommends(target: Path, team: Keys) -> None:
    manifest = safeload.dump([1], target, signer=team.key, passphrase="secret")
    assert manifest.encryption is not None
    (stanza,) = manifest.encryption.recipients
    assert (stanza["memory"], stanza["passes"], stanza["lanes"]) == (65_536, 3, 4)


def test_file_objects_are_files(team: Keys, machine: Keys) -> None:
    buffer = io.BytesIO()
    safeload.dump(VALUE, buffer, signer=team.key, recipients=[machine.pub])
    buffer.seek(0)
    assert _same(safeload.load(buffer, trust=team.pub, identity=machine.key))


@pytest.mark.parametrize("compress", [0, "zstd"])
def test_pack_and_unpack_give_back_byte_for_byte(
    tmp_path: Path, target: Path, team: Keys, machine: Keys, compress: Any
) -> None:
    at_a_leaf = LEAF - (stored_length(LEAF) - LEAF)
    sizes = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, at_a_leaf, at_a_leaf + 1, LEAF, 2 * LEAF + 77]
    noise = np.random.default_rng(0).bytes(max(sizes))
    for size in sizes:
        (tmp_path / "original").write_bytes(noise[:size])
        manifest = safeload.pack(tmp_path / "original", target, compress, signer=team.key, recipients=machine.pub)
        assert manifest.encryption is not None
        assert manifest.prelude.payload_len == stored_length(manifest.encryption.size)
        safeload.unpack(target, tmp_path / "back", trust=team.pub, identity=machine.key)
        assert (tmp_path / "back").read_bytes() == noise[:size]


def test_nothing_plain_is_on_disk_at_any_time(tmp_path: Path, target: Path, team: Keys, machine: Keys) -> None:
    marker = b"the secret of this model" * 4
    real = safeload.Signer.from_file(team.key)
    seen: list[str] = []

    class Watching(safeload.Signer):
        algorithm, keyid = real.algorithm, real.keyid

        def sign(self, message: bytes) -> bytes:
            for path in tmp_path.iterdir():
                seen.append(path.suffix)
                assert marker not in path.read_bytes()
            return real.sign(message)

    for compress in (0, "zlib"):
        safeload.dump([marker], target, compress, signer=Watching(), recipients=[machine.pub])
        assert marker not in target.read_bytes()
    assert ".tmp" in seen
    assert safeload.load(target, trust=team.pub, identity=machine.key) == [marker]


def test_without_files_in_memory_the_scratch_files_have_no_name(
    tmp_path: Path, team: Keys, machine: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("os.memfd_create", raising=False)
    for compress in (0, "zlib"):
        safeload.dump(VALUE, tmp_path / "m", compress, signer=team.key, recipients=[machine.pub])
        assert _same(safeload.load(tmp_path / "m", trust=team.pub, identity=machine.key))
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_two_files_of_one_object_have_nothing_in_common(tmp_path: Path, team: Keys, machine: Keys) -> None:
    payloads = set()
    for name in ("one", "two"):
        safeload.dump(VALUE, tmp_path / name, signer=team.key, recipients=[machine.pub])
        payloads.add((tmp_path / name).read_bytes()[PAYLOAD_OFF : PAYLOAD_OFF + 1000])
    assert len(payloads) == 2


def test_a_countersignature_changes_nothing_for_the_reader(
    target: Path, team: Keys, stranger: Keys, machine: Keys
) -> None:
    safeload.dump(VALUE, target, signer=team.key, recipients=[machine.pub])
    safeload.sign(target, signer=stranger.key)
    assert _same(safeload.load(target, trust=team.pub, identity=machine.key))
    safeload.verify(target, trust=stranger.pub).close()


def test_an_hmac_key_can_sign_what_is_encrypted(tmp_path: Path, target: Path, machine: Keys) -> None:
    safeload.keygen(tmp_path / "shared", "hmac")
    key = tmp_path / "shared.hmac"
    safeload.dump(VALUE, target, signer=key, recipients=[machine.pub])
    assert _same(safeload.load(target, trust=key, identity=machine.key))


# --- keys -------------------------------------------------------------------------------------


def test_an_identity_is_neither_shown_nor_pickled_nor_copied(machine: Keys) -> None:
    identity = safeload.Identity.from_file(machine.key)
    assert repr(identity) == f"<Identity x25519 {identity.keyid[:8]}...>"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="secret"):
            attempt(identity)


def test_a_recipient_can_be_sent_to_a_worker_and_compared(machine: Keys, hybrid: Keys) -> None:
    recipient = safeload.Recipient.from_file(machine.pub)
    again = pickle.loads(pickle.dumps(recipient))
    assert again == recipient
    assert (again.public, again.keyid, str(again)) == (recipient.public, recipient.keyid, str(recipient))
    assert recipient != safeload.Recipient.from_file(hybrid.pub)
    with pytest.raises(ValueError, match="no recipient"):
        safeload.Recipient("rsa", recipient.public)


def test_an_artifact_stays_unlocked_and_a_wrong_key_does_not_lock_it(
    target: Path, team: Keys, machine: Keys, hybrid: Keys
) -> None:
    safeload.dump(VALUE, target, signer=team.key, recipients=[machine.pub])
    with safeload.verify(target, trust=team.pub) as artifact:
        artifact.unlock(identity=machine.key)
        with pytest.raises(NotARecipientError):
            artifact.read("model.joblib", identity=hybrid.key)
        assert _same(artifact.load())


def test_an_encrypted_identity_takes_a_passphrase_or_the_environment(
    tmp_path: Path, target: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = safeload.keygen(tmp_path / "locked", "mlkem768-x25519", "secret").paths
    safeload.dump(VALUE, target, signer=team.key, recipients=[public])
    assert _same(safeload.load(target, trust=team.pub, identity=safeload.Identity.from_file(private, "secret")))
    with pytest.raises(safeload.errors.KeyPassphraseError):
        safeload.load(target, trust=team.pub, identity=private)
    monkeypatch.setenv("SAFELOAD_IDENTITY_PASSPHRASE", "secret")
    assert _same(safeload.load(target, trust=team.pub, identity=private))


@pytest.mark.skipif(os.name == "nt", reason="no such bits")
def test_an_identity_that_others_can_read_is_refused(tmp_path: Path) -> None:
    private, public = safeload.keygen(tmp_path / "machine", "x25519").paths
    assert (private.stat().st_mode & 0o777, private.suffix, public.suffix) == (0o600, ".identity", ".recipient")
    private.chmod(0o640)
    with pytest.raises(KeyPermissionsError):
        safeload.Identity.from_file(private)


def test_a_recipient_in_a_trust_store_is_not_taken_for_a_signer(tmp_path: Path, team: Keys, machine: Keys) -> None:
    store = tmp_path / "keys"
    store.mkdir()
    (store / "team.pub").write_bytes(team.pub.read_bytes())
    (store / machine.pub.name).write_bytes(machine.pub.read_bytes())
    assert [key.name for key in safeload.TrustStore.open(store).keys] == ["team"]
    with pytest.raises(KeyFileError, match="cannot sign"):
        safeload.TrustStore.from_file(machine.pub)


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "both ways": ({"recipients": ["{pub}"], "passphrase": "x"}, ValueError, "stands alone"),
    "an empty passphrase": ({"passphrase": ""}, ValueError, "empty passphrase"),
    "a passphrase of another type": ({"passphrase": 5}, TypeError, "str or bytes"),
    "a passphrase that is no text": ({"passphrase": "\ud800"}, ValueError, "valid Unicode"),
    "a recipient of another type": ({"recipients": [5]}, TypeError, "Recipient objects or paths"),
    "a signer's key": ({"recipients": ["{team}"]}, KeyFileError, "one that signs"),
    "a private key": ({"recipients": ["{key}"]}, KeyFileError, "private key"),
    "an absent file": ({"recipients": ["absent"]}, KeyFileError, "absent"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_recipients_are_named_and_nothing_is_written(case: str, target: Path, team: Keys, machine: Keys) -> None:
    arguments, error, text = WRONG[case]
    names = {"pub": machine.pub, "key": machine.key, "team": team.pub}
    filled = [x.format(**names) if isinstance(x, str) else x for x in arguments.get("recipients", [])]
    with pytest.raises(error, match=text):
        safeload.dump([1], target, signer=team.key, **(arguments | {"recipients": filled}))
    assert not target.exists()


def test_at_most_64_read_one_file(target: Path, team: Keys) -> None:
    from safeload.hazmat import encryption_keys

    many = [safeload.Recipient("x25519", encryption_keys.public_bytes("x25519", bytes([n]) * 32)) for n in range(65)]
    safeload.dump([1], target, signer=team.key, recipients=[*many[:64], many[0]])  # the same twice counts once
    with pytest.raises(ValueError, match="at most 64"):
        safeload.dump([1], target, signer=team.key, recipients=many)


def test_an_identity_of_another_type_is_a_type_error(target: Path, team: Keys, machine: Keys) -> None:
    safeload.dump([1], target, signer=team.key, recipients=[machine.pub])
    with pytest.raises(TypeError, match="Identity or a path"):
        safeload.load(target, trust=team.pub, identity=5)  # type: ignore[arg-type]


# --- rewrap -----------------------------------------------------------------------------------


def test_rewrap_changes_the_readers_and_not_the_payload(target: Path, team: Keys, machine: Keys, hybrid: Keys) -> None:
    before = safeload.dump(VALUE, target, signer=team.key, recipients=[machine.pub], metadata={"owner": "us"})
    old = target.read_bytes()
    after = safeload.rewrap(target, recipients=[hybrid.pub], signer=team.key, trust=team.pub, identity=machine.key)
    end = before.prelude.payload_off + before.prelude.payload_len
    assert target.read_bytes()[PAYLOAD_OFF:end] == old[PAYLOAD_OFF:end]
    assert (after.payload, after.metadata, after.created) == (before.payload, before.metadata, before.created)
    assert _same(safeload.load(target, trust=team.pub, identity=hybrid.key))
    with pytest.raises(NotARecipientError):
        safeload.load(target, trust=team.pub, identity=machine.key)


def test_rewrap_by_another_signer_makes_that_one_the_signer(
    target: Path, team: Keys, stranger: Keys, machine: Keys
) -> None:
    safeload.dump(VALUE, target, signer=team.key, recipients=[machine.pub])
    safeload.rewrap(target, new_passphrase="secret", signer=stranger.key, trust=team.pub, identity=machine.key)
    assert _same(safeload.load(target, trust=stranger.pub, passphrase="secret"))
    assert len(safeload.inspect(target).records) == 1
    safeload.rewrap(target, recipients=machine.pub, signer=team.key, trust=stranger.pub, passphrase="secret")
    assert _same(safeload.load(target, trust=team.pub, identity=machine.key))


def test_rewrap_of_ones_own_file_asks_for_no_trust(
    tmp_path: Path, target: Path, team: Keys, stranger: Keys, machine: Keys, hybrid: Keys
) -> None:
    safeload.keygen(tmp_path / "shared", "hmac")
    hmac = Keys(tmp_path / "shared.hmac", tmp_path / "shared.hmac")
    for keys in (team, hmac):
        safeload.dump(VALUE, target, signer=keys.key, recipients=[machine.pub])
        with pytest.raises(safeload.errors.UntrustedSignerError):
            safeload.rewrap(target, recipients=[hybrid.pub], signer=stranger.key, identity=machine.key)
        safeload.rewrap(target, recipients=[hybrid.pub], signer=keys.key, identity=machine.key)
        assert _same(safeload.load(target, trust=keys.pub, identity=hybrid.key))


def test_what_cannot_be_rewrapped_stays_as_it_is(
    tmp_path: Path, target: Path, team: Keys, stranger: Keys, machine: Keys
) -> None:
    other = _pair(tmp_path, "other", "x25519")
    safeload.dump(VALUE, target, signer=team.key, recipients=[machine.pub])
    before = target.read_bytes()
    say: dict[str, Any] = {"recipients": [other.pub], "signer": team.key, "trust": team.pub, "identity": machine.key}
    for wrong, error in (
        ({"trust": stranger.pub}, safeload.errors.UntrustedSignerError),
        ({"identity": other.key}, NotARecipientError),
        ({"identity": None}, NoIdentityError),
        ({"recipients": []}, ValueError),
    ):
        with pytest.raises(error):
            safeload.rewrap(target, **(say | wrong))
        assert target.read_bytes() == before
    target.write_bytes(before[:5000] + bytes([before[5000] ^ 1]) + before[5001:])
    with pytest.raises(safeload.errors.DigestMismatchError):
        safeload.rewrap(target, **say)
    safeload.dump(VALUE, target, signer=team.key)
    with pytest.raises(DecryptionError, match="not encrypted"):
        safeload.rewrap(target, **say)
