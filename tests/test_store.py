"""Versions of models: numbers that nobody else gets, names and numbers that are signed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

import safeload
from safeload import ModelStore
from safeload.errors import (
    BadSignatureError,
    CodecError,
    DigestMismatchError,
    NoSignerError,
    NoTrustError,
    OutOfScopeError,
    StoreError,
    UntrustedSignerError,
    VersionMismatchError,
    VersionNotFoundError,
)

if TYPE_CHECKING:
    from conftest import Keys

ROOT = Path(__file__).parent.parent


@pytest.fixture
def store(tmp_path: Path, team: Keys) -> ModelStore:
    return ModelStore(tmp_path / "models", signer=team.key, trust=team.pub)


def test_versions_are_numbered_from_one_and_the_newest_is_loaded(store: ModelStore) -> None:
    assert store.list() == ()
    assert store.versions("churn") == ()
    assert [store.save("churn", {"a": number}) for number in range(12)] == [*range(1, 13)]
    assert store.save("fraud/cards", "other") == 1
    assert store.load("churn") == {"a": 11}
    assert store.load("churn", 2) == store.load("churn", version=2) == {"a": 1}
    assert store.versions("churn") == tuple(range(1, 13))  # by number: 10 is behind 9
    assert store.list() == ("churn", "fraud/cards")
    assert store.load("fraud/cards") == "other"


def test_a_version_is_kept_by_the_codec_that_was_asked_for(store: ModelStore) -> None:
    store.save("m", [1, 2], codec="pickle")
    assert store.verify("m").members[0].kind.startswith("pickle")
    assert store.load("m") == [1, 2]
    with pytest.raises(TypeError, match=r"into is for the state of a torch.nn.Module"):
        store.load("m", into=[])


def test_name_number_and_metadata_are_signed(store: ModelStore, team: Keys) -> None:
    store.save("churn", np.arange(3), metadata={"auc": 0.91})
    with safeload.verify(store.path("churn"), trust=team.pub) as artifact:
        model = artifact.manifest.model
        assert model is not None
        assert (model.name, model.version) == ("churn", 1)
        assert artifact.manifest.metadata["auc"] == 0.91
    assert store.verify("churn").signers[0].name == "team"


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("churn@1.safeload", "churn@2.safeload"),  # an old version as a new one
        ("churn@1.safeload", "fraud@1.safeload"),
        ("deep/churn@1.safeload", "churn@1.safeload"),
    ],
)
def test_a_file_in_the_place_of_another_is_refused(store: ModelStore, source: str, place: str) -> None:
    store.save("churn", 1)
    store.save("deep/churn", 2)
    folder = Path(store.path("churn")).parent
    shutil.copyfile(folder / source, folder / place)
    name, _, number = place.removesuffix(".safeload").partition("@")
    for ask in (store.load, store.verify, lambda *where: store.unpack(where[0], folder / "out", where[1])):
        with pytest.raises(VersionMismatchError, match="in the place of another"):
            ask(name, int(number))
    assert not (folder / "out").exists()


def test_a_file_that_was_signed_without_a_version_is_no_version(store: ModelStore, team: Keys) -> None:
    store.save("churn", 1)
    for name in (None, "churn"):
        safeload.dump(2, Path(store.path("churn")).with_name("churn@2.safeload"), signer=team.key, name=name)
        with pytest.raises(VersionMismatchError, match="without a version"):
            store.load("churn")
    assert store.load("churn", 1) == 1


def test_what_is_not_there_is_said_with_what_is_near(store: ModelStore) -> None:
    store.save("churn", 1)
    with pytest.raises(VersionNotFoundError, match="no model chrun") as caught:
        store.load("chrun")
    assert caught.value.hint == "did you mean churn?"
    with pytest.raises(VersionNotFoundError, match="no version 3 of churn"):
        store.load("churn", 3)
    with pytest.raises(TypeError, match="version must be an int"):
        store.load("churn", "1")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "../up", "/etc/x", "a@b", "a//b", "a.", "con", "a\nb", "a\\b", "a:b"])
def test_a_name_that_is_none_is_refused_before_a_file_is_made(store: ModelStore, name: str, tmp_path: Path) -> None:
    for ask in (lambda: store.save(name, 1), lambda: store.load(name), lambda: store.versions(name)):
        with pytest.raises(ValueError, match="is no name for a model"):
            ask()
    assert not (tmp_path / "models").exists()


def test_who_cannot_sign_or_pickle_takes_no_number(store: ModelStore, tmp_path: Path, team: Keys) -> None:
    with pytest.raises(NoSignerError):
        ModelStore(tmp_path / "models").save("churn", 1)
    assert not (tmp_path / "models").exists()
    with pytest.raises(CodecError):
        store.save("churn", lambda: None)
    with pytest.raises(FileNotFoundError):
        store.pack("churn", tmp_path / "nothing")
    assert [*(tmp_path / "models").iterdir()] == []
    assert store.save("churn", 1) == 1
    with pytest.raises(NoTrustError):
        ModelStore(tmp_path / "models").load("churn")


def test_a_number_that_was_taken_and_never_filled_is_not_given_again(store: ModelStore) -> None:
    store.save("churn", "first")
    Path(store.path("churn")).with_name("churn@2.safeload").touch()  # somebody died while saving, or saves now
    assert store.versions("churn") == (1,)
    assert store.load("churn") == "first"
    with pytest.raises(VersionNotFoundError, match="no version 2"):
        store.load("churn", 2)
    assert store.save("churn", "third") == 3
    assert store.load("churn") == "third"


def test_others_files_in_the_folder_are_left_alone(store: ModelStore) -> None:
    store.save("churn", 1)
    folder = Path(store.path("churn")).parent
    for name in ("churn@0.safeload", "churn@x.safeload", "churn@01.safeload", "churn.safeload", "churn@2.sig"):
        (folder / name).write_bytes(b"x")
    (folder / "churn@7.safeload").mkdir()
    (folder / "churn@8.safeload").symlink_to("nowhere")
    assert store.versions("churn") == (1,)
    assert store.list() == ("churn",)
    assert store.save("churn", 2) == 9


def test_where_no_number_is_left_nothing_is_saved_that_nobody_would_find(store: ModelStore) -> None:
    store.save("churn", 1)
    Path(store.path("churn")).with_name("churn@999999999.safeload").touch()
    with pytest.raises(StoreError, match="no number is left for churn"):
        store.save("churn", 2)
    assert len([*Path(store.path("churn")).parent.iterdir()]) == 2


SAVES = """
import sys, safeload
store = safeload.ModelStore(sys.argv[1], signer=sys.argv[2])
sys.stdin.readline()
print(*[store.save("churn", [sys.argv[3], n]) for n in range(10)])
"""


def test_trainers_at_once_never_get_one_number(store: ModelStore, tmp_path: Path, team: Keys) -> None:
    command = [sys.executable, "-c", SAVES, str(tmp_path / "models"), str(team.key)]
    trainers = [
        subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for n in range(4)
    ]
    answers = [trainer.communicate("go\n")[0] for trainer in trainers if trainer.stdin]
    numbers = [int(number) for answer in answers for number in answer.split()]
    assert sorted(numbers) == [*range(1, 41)]
    for trainer, answer in enumerate(answers):
        for turn, number in enumerate(answer.split()):
            assert store.load("churn", int(number)) == [str(trainer), turn]


def test_threads_at_once_never_get_one_number(store: ModelStore) -> None:
    numbers: list[int] = []
    barrier = threading.Barrier(8)

    def save() -> None:
        barrier.wait()
        numbers.append(store.save("churn", 1))

    threads = [threading.Thread(target=save) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [*range(1, 9)]


class Dies:
    """Its process ends in the middle of saving it."""

    def __reduce__(self) -> Any:
        os._exit(9)


def test_a_trainer_that_dies_leaves_no_version(store: ModelStore, tmp_path: Path, team: Keys) -> None:
    code = "import sys, safeload, test_store\nstore = safeload.ModelStore(sys.argv[1], signer=sys.argv[2])\n"
    code += "store.save('churn', [b'x' * 10**7, test_store.Dies()])"
    command = [sys.executable, "-c", code, str(tmp_path / "models"), str(team.key)]
    assert subprocess.run(command, cwd=Path(__file__).parent, check=False).returncode == 9
    assert store.versions("churn") == ()
    assert store.save("churn", 1) == 2


def test_a_changed_file_and_a_strangers_are_refused(store: ModelStore, stranger: Keys, tmp_path: Path) -> None:
    store.save("churn", [1, 2, 3])
    path = Path(store.path("churn"))
    data = bytearray(path.read_bytes())
    data[data.index(b"]\x94")] ^= 1
    path.write_bytes(data)
    with pytest.raises(DigestMismatchError):
        store.load("churn")
    ModelStore(tmp_path / "models", signer=stranger.key).save("churn", 4)
    with pytest.raises(UntrustedSignerError):
        store.load("churn")
    data = bytearray(Path(store.path("churn", 2)).read_bytes())
    data[data.index(b'"version":2') + 10] = ord("3")
    path.with_name("churn@3.safeload").write_bytes(data)
    with pytest.raises(BadSignatureError):
        ModelStore(tmp_path / "models", trust=stranger.pub).load("churn", 3)


def test_a_trust_store_says_who_may_save_which_model(store: ModelStore, team: Keys, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    shutil.copy(team.pub, keys)
    keyid = safeload.Signer.from_file(team.key).keyid
    (keys / "trust.toml").write_text(f'version = 1\n[[key]]\nkeyid = "{keyid}"\nmodels = ["churn"]\n')
    store.save("churn", 1)
    store.save("fraud", 2)
    scoped = ModelStore(tmp_path / "models", trust=keys)
    assert scoped.load("churn") == 1
    with pytest.raises(OutOfScopeError):
        scoped.load("fraud")


def test_a_store_may_be_encrypted_and_compressed(tmp_path: Path, team: Keys) -> None:
    safeload.keygen(tmp_path / "machine", "x25519")
    store = ModelStore(
        tmp_path / "models",
        signer=team.key,
        trust=team.pub,
        recipients=tmp_path / "machine.recipient",
        compress="zstd",
    )
    store.save("churn", np.zeros(100_000))
    assert Path(store.path("churn")).stat().st_size < 20_000
    assert store.load("churn", identity=tmp_path / "machine.identity", mmap_mode="r").shape == (100_000,)


def test_a_folder_is_a_version_too(store: ModelStore, tmp_path: Path) -> None:
    source = tmp_path / "export"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "weights.bin").write_bytes(b"1234")
    assert store.pack("net", source) == 1
    store.unpack("net", tmp_path / "out")
    assert (tmp_path / "out" / "deep" / "weights.bin").read_bytes() == b"1234"
    with pytest.raises(CodecError, match="no single object"):
        store.load("net")


def test_the_page_about_stores_does_what_it_says(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "store.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    shutil.copy(team.key, tmp_path)
    shutil.copy(team.pub, tmp_path)
    python = page.partition("```python\n")[2].partition("```")[0]
    given: dict[str, Any] = {"model": {"a": 1}}
    exec(python, given)  # noqa: S102  our own page
    assert (given["version"], given["first"]) == (1, {"a": 1})
    assert given["store"].versions("churn") == (1,)
    assert given["store"].list() == ("churn",)
    joblib.dump([1, 2], "model.joblib")
    for line in page.partition("```sh\n")[2].partition("```")[0].splitlines():
        command = [sys.executable, "-m", *line.split()]
        assert subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode == 0
    assert joblib.load("model.joblib") == [1, 2]
