"""Whose signatures count: docs/format.md 7.4, folders of keys, and what is done to them."""

from __future__ import annotations

import base64
import os
import pickle
import warnings
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path

import pytest

from safeload.errors import (
    AlgorithmError,
    BadSignatureError,
    KeyFileError,
    UnsignedError,
    UntrustedSignerError,
)
from safeload.hazmat import ed25519, keyfiles, mac
from safeload.keys import (
    ED25519,
    HMAC_SHA256,
    HmacSigner,
    IgnoredKeyWarning,
    Key,
    KeySigner,
    Signer,
    TrustedKey,
    TrustStore,
    UnsafeWarning,
    folder,
    keygen,
    trust_add,
    trust_list,
)
from safeload.keys.algorithms import NUMBERS

MESSAGE = b"DSSEv1 45 application/vnd.safeload.manifest.v1+json 2 {}"


@dataclass(frozen=True)
class Record:
    keyid: str
    alg: int
    signature: bytes


@dataclass(frozen=True)
class Pair:
    signer: Signer
    public: bytes

    def trusted(self, name: str = "team") -> TrustedKey:
        return TrustedKey(self.signer.algorithm, self.public, name)

    def record(self, message: bytes = MESSAGE) -> Record:
        return Record(self.signer.keyid, NUMBERS[self.signer.algorithm], self.signer.sign(message))


def pair(number: int) -> Pair:
    seed = bytes([number]) * 32
    return Pair(KeySigner(Key(ED25519, seed)), ed25519.public_key(seed))


def shared(number: int) -> Pair:
    return Pair(HmacSigner(bytes([number]) * 32), bytes([number]) * 32)


ALICE, BOB, CAROL, SECRET = pair(1), pair(2), pair(3), shared(4)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: str, key: Pair) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(keyfiles.public_pem(Key(ED25519, key.public)))


# --- 7.4 --------------------------------------------------------------------------------------


def test_step_1_a_file_without_records_is_unsigned() -> None:
    with pytest.raises(UnsignedError, match=r"churn\.safeload bears no signature") as caught:
        TrustStore((ALICE.trusted(),)).check(MESSAGE, [], name="churn.safeload")
    assert "signed file" in caught.value.hint


def test_step_2_a_file_that_only_others_signed_is_untrusted_and_says_who() -> None:
    put("keys/alice.pub", ALICE)
    with pytest.raises(UntrustedSignerError) as caught:
        TrustStore.open("keys").check(MESSAGE, [BOB.record(), CAROL.record()], name="churn.safeload")
    bob, carol = BOB.signer.keyid, CAROL.signer.keyid
    assert str(caught.value) == (
        f"churn.safeload is signed by {bob[:8]}... and {carol[:8]}..., which keys/ does not trust"
    )
    assert caught.value.hint == f"if you know this key: safeload trust add {bob[:8]}.pub --store keys/"
    assert caught.value.keyids == (bob, carol)


def test_many_strangers_are_counted_and_not_all_listed() -> None:
    records = [pair(number).record() for number in range(10, 17)]
    with pytest.raises(UntrustedSignerError, match=r"is signed by (\w{8}\.\.\., ){2}\w{8}\.\.\. and 4 more, which"):
        TrustStore((ALICE.trusted(),)).check(MESSAGE, records)


def test_step_2_a_stranger_beside_a_trusted_key_is_ignored() -> None:
    forged = Record(BOB.signer.keyid, 1, bytes(64))
    store = TrustStore((ALICE.trusted(),))
    for records in ([forged, ALICE.record()], [ALICE.record(), forged]):
        assert [key.keyid for key in store.check(MESSAGE, records)] == [ALICE.signer.keyid]


def test_step_3_a_bad_signature_of_a_trusted_key_wins_whatever_others_say() -> None:
    store = TrustStore((ALICE.trusted("alice"), BOB.trusted("bob")))
    bad = BOB.record(b"another message")
    for records in ([bad, ALICE.record()], [ALICE.record(), bad], [CAROL.record(), ALICE.record(), bad]):
        with pytest.raises(BadSignatureError, match=r"by bob \(.*does not verify") as caught:
            store.check(MESSAGE, records)
        assert caught.value.keyid == BOB.signer.keyid


def test_step_4_all_that_verified_are_given_back_in_the_order_of_the_file() -> None:
    store = TrustStore((ALICE.trusted("alice"), BOB.trusted("bob"), SECRET.trusted("secret")))
    keys = store.check(MESSAGE, [SECRET.record(), CAROL.record(), BOB.record()])
    assert [key.name for key in keys] == ["secret", "bob"]


def test_a_key_that_signs_twice_is_one_signer() -> None:
    store = TrustStore((ALICE.trusted(),))
    assert len(store.check(MESSAGE, [ALICE.record(), ALICE.record()])) == 1


@pytest.mark.parametrize("alg", [0, 2, 3, 4, 5, 77, 65535])
def test_the_file_does_not_choose_the_algorithm(alg: int) -> None:
    record = Record(ALICE.signer.keyid, alg, ALICE.record().signature)
    with pytest.raises(BadSignatureError, match="that key is for ed25519"):
        TrustStore((ALICE.trusted(),)).check(MESSAGE, [record])


def test_an_hmac_made_with_the_bytes_of_a_public_key_is_refused() -> None:
    """The classic: the verifier holds public bytes, the forger calls them a shared secret."""
    tag = mac.tag(ALICE.public, MESSAGE)
    spki_tag = mac.tag(keyfiles.public_der(Key(ED25519, ALICE.public)), MESSAGE)
    store = TrustStore((ALICE.trusted(),))
    for signature in (tag, spki_tag, tag + tag):
        for alg in (1, 2):
            with pytest.raises(BadSignatureError):
                store.check(MESSAGE, [Record(ALICE.signer.keyid, alg, signature)])
    forged = HmacSigner(ALICE.public)
    with pytest.raises(UntrustedSignerError):
        store.check(MESSAGE, [Record(forged.keyid, 2, forged.sign(MESSAGE))])


def test_a_public_key_whose_bytes_are_a_trusted_secret_is_another_key() -> None:
    as_secret = TrustedKey(HMAC_SHA256, ALICE.public, "secret")
    assert as_secret.keyid != ALICE.signer.keyid
    with pytest.raises(UntrustedSignerError):
        TrustStore((as_secret,)).check(MESSAGE, [ALICE.record()])


def test_a_right_signature_under_the_keyid_of_another_trusted_key_is_bad() -> None:
    store = TrustStore((ALICE.trusted(), BOB.trusted()))
    with pytest.raises(BadSignatureError) as caught:
        store.check(MESSAGE, [Record(BOB.signer.keyid, 1, ALICE.record().signature)])
    assert caught.value.keyid == BOB.signer.keyid


def test_a_right_signature_under_an_unknown_keyid_is_not_tried() -> None:
    with pytest.raises(UntrustedSignerError):
        TrustStore((ALICE.trusted(),)).check(MESSAGE, [Record("00" * 32, 1, ALICE.record().signature)])


@pytest.mark.parametrize("length", [1, 31, 32, 33, 63, 65, 72, 3373])
def test_a_signature_of_another_length_is_bad(length: int) -> None:
    for key, right in ((ALICE, 64), (SECRET, 32)):
        record = key.record()
        if length != right:
            cut = Record(record.keyid, record.alg, (record.signature * 200)[:length])
            with pytest.raises(BadSignatureError):
                TrustStore((key.trusted(),)).check(MESSAGE, [cut])


# --- the store --------------------------------------------------------------------------------


def test_a_trusted_key_knows_its_keyid_and_takes_no_other() -> None:
    with pytest.raises(TypeError):
        TrustedKey(ED25519, ALICE.public, "a", keyid="00" * 32)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="small order"):
        TrustedKey(ED25519, b"\x01" + bytes(31), "a")
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        TrustedKey(HMAC_SHA256, bytes(31), "a")
    with pytest.raises(ValueError, match="no key can be trusted for 'rsa'"):
        TrustedKey("rsa", bytes(32), "a")


def test_a_store_cannot_be_changed_and_shows_no_secret() -> None:
    store = TrustStore((SECRET.trusted(),))
    with pytest.raises(FrozenInstanceError):
        store.keys = ()  # type: ignore[misc]
    assert "\\x04" not in repr(store)
    assert SECRET.public.hex() not in repr(store)


def test_a_store_of_public_keys_can_be_pickled_and_one_with_a_secret_cannot() -> None:
    store = TrustStore((ALICE.trusted(),))
    assert pickle.loads(pickle.dumps(store)) == store
    assert pickle.loads(pickle.dumps(store)).check(MESSAGE, [ALICE.record()])
    with pytest.raises(TypeError, match="is a secret"):
        pickle.dumps(TrustStore((SECRET.trusted(),)))


def test_a_folder_gives_its_pub_files_by_name_and_nothing_else() -> None:
    put("keys/bob.pub", BOB)
    put("keys/alice.pub", ALICE)
    put("keys/sub/carol.pub", CAROL)
    put("keys/.hidden.pub", CAROL)
    for name in ("README.md", "carol.pub.bak", "carol.pem", "team.key"):
        Path("keys", name).write_text("not looked at")
    assert [key.name for key in TrustStore.open("keys").keys] == ["alice", "bob"]
    assert tuple(entry.key for entry in trust_list("keys")) == TrustStore.open("keys").keys


def test_a_malformed_pub_file_makes_the_store_unusable_and_is_named() -> None:
    put("keys/alice.pub", ALICE)
    Path("keys/broken.pub").write_text("hello")
    with pytest.raises(KeyFileError, match=r"keys/broken\.pub is not a public key"):
        TrustStore.open("keys")
    Path("keys/broken.pub").write_bytes(keyfiles.private_pem(Key(ED25519, b"s" * 32), None))
    with pytest.raises(KeyFileError, match=r"keys/broken\.pub is a private key"):
        TrustStore.open("keys")
    Path("keys/broken.pub").write_bytes(keyfiles.public_pem(Key(ED25519, b"\x01" + bytes(31))))
    with pytest.raises(KeyFileError, match=r"keys/broken\.pub is a point of small order"):
        TrustStore.open("keys")
    Path("keys/broken.pub").write_text("ssh-rsa AAAA someone")
    with pytest.raises(AlgorithmError, match=r"keys/broken\.pub holds a key for ssh-rsa"):
        TrustStore.open("keys")


def test_a_link_in_a_store_counts_as_kubernetes_mounts_it() -> None:
    put("mount/..2026_11_21/team.pub", ALICE)
    Path("mount/..data").symlink_to("..2026_11_21")
    Path("mount/team.pub").symlink_to("..data/team.pub")
    assert [key.name for key in TrustStore.open("mount").keys] == ["team"]


def test_a_link_to_nothing_and_a_folder_named_pub_are_refused() -> None:
    put("keys/alice.pub", ALICE)
    Path("keys/gone.pub").symlink_to("nowhere")
    with pytest.raises(KeyFileError, match=r"cannot read keys/gone\.pub"):
        TrustStore.open("keys")
    Path("keys/gone.pub").unlink()
    Path("keys/folder.pub").mkdir()
    with pytest.raises(KeyFileError, match=r"keys/folder\.pub is a folder"):
        TrustStore.open("keys")


@pytest.mark.skipif(os.name == "nt", reason="no pipes in folders")
def test_a_pipe_in_a_store_is_refused() -> None:
    put("keys/alice.pub", ALICE)
    os.mkfifo("keys/pipe.pub")
    with pytest.raises(KeyFileError, match=r"keys/pipe\.pub is a named pipe"):
        TrustStore.open("keys")


def test_the_same_key_under_two_names_is_one_key() -> None:
    put("keys/alice.pub", ALICE)
    put("keys/zoe.pub", ALICE)
    assert [key.name for key in TrustStore.open("keys").keys] == ["alice"]


def test_an_empty_store_is_an_error() -> None:
    Path("keys").mkdir()
    with pytest.raises(KeyFileError, match="keys/ holds no key") as caught:
        TrustStore.open("keys")
    assert "safeload trust add" in caught.value.hint
    with pytest.raises(KeyFileError, match="holds no key"):
        TrustStore(())


def test_a_store_that_is_not_there_or_is_a_file_is_an_error() -> None:
    with pytest.raises(KeyFileError, match="cannot read the trust store keys: No such file"):
        TrustStore.open("keys")
    put("alice.pub", ALICE)
    with pytest.raises(KeyFileError, match=r"cannot read the trust store alice\.pub: Not a directory"):
        TrustStore.open("alice.pub")


@pytest.mark.parametrize("name", ["trust.toml", "TRUST.TOML"])
def test_a_store_that_a_newer_version_made_is_refused(name: str) -> None:
    put("keys/alice.pub", ALICE)
    Path("keys", name).write_text("version = 2")
    for use in (TrustStore.open, trust_list, lambda store: trust_add("keys/alice.pub", store)):
        with pytest.raises(KeyFileError, match=r"is not of version 1|call it trust\.toml"):
            use("keys")


def test_a_folder_of_more_than_10_000_files_is_not_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder.MOST_FILES == 10_000
    monkeypatch.setattr(folder, "MOST_FILES", 3)
    for number in range(3):
        put(f"keys/{number}.pub", pair(number))
    assert len(TrustStore.open("keys").keys) == 3
    Path("keys/README.md").touch()
    with pytest.raises(KeyFileError, match="holds more than 3 files"):
        TrustStore.open("keys")


# --- HMAC -------------------------------------------------------------------------------------


def test_an_hmac_key_in_a_folder_is_ignored_with_a_warning() -> None:
    put("keys/alice.pub", ALICE)
    keygen("keys/team", kind="hmac")
    with pytest.warns(IgnoredKeyWarning, match=r"keys/team\.hmac is ignored") as caught:
        store = TrustStore.open("keys")
    assert caught[0].filename == __file__
    assert [key.name for key in store.keys] == ["alice"]
    signer = Signer.from_file("keys/team.hmac")
    with pytest.raises(UntrustedSignerError):
        store.check(MESSAGE, [Record(signer.keyid, 2, signer.sign(MESSAGE))])


def test_an_hmac_key_that_is_named_counts_without_a_warning() -> None:
    put("keys/alice.pub", ALICE)
    keygen("keys/team", kind="hmac")
    keygen("other", kind="hmac")
    store = TrustStore.open("keys", shared=[Path("keys/../keys/team.hmac"), "other.hmac"])
    assert [key.name for key in store.keys] == ["alice", "team", "other"]
    signer = Signer.from_file("other.hmac")
    assert store.check(MESSAGE, [Record(signer.keyid, 2, signer.sign(MESSAGE))])[0].name == "other"


def test_a_folder_may_be_empty_where_an_hmac_key_is_named() -> None:
    Path("keys").mkdir()
    keygen("team", kind="hmac")
    assert [key.name for key in TrustStore.open("keys", shared=["team.hmac"]).keys] == ["team"]


def test_shared_names_hmac_keys_and_is_a_list() -> None:
    put("keys/alice.pub", ALICE)
    with pytest.raises(KeyFileError, match=r"keys/alice\.pub is not an HMAC key"):
        TrustStore.open("keys", shared=["keys/alice.pub"])
    with pytest.raises(TypeError, match="list of paths"):
        TrustStore.open("keys", shared="team.hmac")


def test_an_hmac_key_that_is_called_pub_does_not_count_by_that() -> None:
    put("keys/alice.pub", ALICE)
    keygen("team", kind="hmac")
    Path("team.hmac").rename("keys/team.pub")
    with pytest.raises(KeyFileError, match=r"keys/team\.pub holds an HMAC key"):
        TrustStore.open("keys")


# --- accepting anybody ------------------------------------------------------------------------


def test_accepting_anybody_warns_and_calls_nobody_a_signer() -> None:
    with pytest.warns(UnsafeWarning, match=r"TrustStore\.unsafe_accept_any\(\)") as caught:
        store = TrustStore.unsafe_accept_any()
    assert caught[0].filename == __file__
    assert store.keys == ()
    assert store.check(MESSAGE, []) == ()
    assert store.check(MESSAGE, [Record(BOB.signer.keyid, 1, bytes(64))]) == ()
    assert isinstance(store, TrustStore)


# --- changing a store -------------------------------------------------------------------------


def test_a_key_is_added_as_pem_and_the_folder_is_made() -> None:
    put("alice.pub", ALICE)
    done = trust_add("alice.pub", "new/keys")
    assert (done.added, done.path, done.key.name) == (True, Path("new/keys/alice.pub"), "alice")
    assert done.path.read_bytes() == keyfiles.public_pem(Key(ED25519, ALICE.public))
    assert [entry.key.keyid for entry in trust_list("new/keys")] == [ALICE.signer.keyid]


def test_a_second_key_stands_beside_the_first() -> None:
    for name, key in (("alice", ALICE), ("bob", BOB), ("carol", CAROL)):
        put(f"{name}.pub", key)
        assert trust_add(f"{name}.pub", "keys").added
    assert [entry.key.name for entry in trust_list("keys")] == ["alice", "bob", "carol"]


def test_a_key_of_openssh_is_added_as_pem() -> None:
    line = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + ALICE.public)
    Path("id_ed25519.pub").write_bytes(b"ssh-ed25519 " + line + b" alice@example.org\n")
    done = trust_add("id_ed25519.pub", "keys")
    assert done.path.read_bytes() == keyfiles.public_pem(Key(ED25519, ALICE.public))


def test_a_key_that_is_there_already_is_said_to_be() -> None:
    put("alice.pub", ALICE)
    put("keys/al.pub", ALICE)
    done = trust_add("alice.pub", "keys")
    assert (done.added, done.path, done.key.name) == (False, Path("keys/al.pub"), "al")
    assert [path.name for path in Path("keys").iterdir()] == ["al.pub"]


def test_another_key_of_the_same_name_is_not_overwritten() -> None:
    put("team.pub", BOB)
    put("keys/team.pub", ALICE)
    with pytest.raises(KeyFileError, match=rf"keys/team\.pub is another key, {ALICE.signer.keyid[:8]}") as caught:
        trust_add("team.pub", "keys")
    assert "rename" in caught.value.hint
    assert Path("keys/team.pub").read_bytes() == keyfiles.public_pem(Key(ED25519, ALICE.public))


def test_a_key_whose_name_would_not_count_is_added_under_one_that_does() -> None:
    put(".team.pub", ALICE)
    assert trust_add(".team.pub", "keys").path == Path("keys/team.pub")


def test_secrets_are_not_added_to_a_store() -> None:
    keygen("team")
    keygen("team", kind="hmac")
    with pytest.raises(KeyFileError, match=r"team\.key is a private key"):
        trust_add("team.key", "keys")
    with pytest.raises(KeyFileError, match=r"team\.hmac is an HMAC key.*does not count in a folder") as caught:
        trust_add("team.hmac", "keys")
    assert "--trust team.hmac" in caught.value.hint
    assert not Path("keys").exists()


def test_a_store_that_cannot_be_made_says_why() -> None:
    put("alice.pub", ALICE)
    with pytest.raises(KeyFileError, match=r"cannot make alice\.pub/keys: Not a directory"):
        trust_add("alice.pub", "alice.pub/keys")


def test_the_folder_of_keys_in_the_repository_is_a_valid_layout() -> None:
    source = Path(__file__).parent.parent / "keys"
    put("keys/alice.pub", ALICE)
    for path in source.iterdir():
        if path.suffix != ".pub":
            Path("keys", path.name).write_bytes(path.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [key.name for key in TrustStore.open("keys").keys] == ["alice"]
    assert not [path for path in source.iterdir() if b"PRIVATE KEY-----" in path.read_bytes()]
