"""Whatever is changed in a signed file, it is refused, by an error of ours, and nothing is loaded."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import safeload
from safeload.container.layout import PAYLOAD_OFF

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Mark:
    """Its pickle leaves a mark when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture(scope="module")
def artifact(team_module: tuple[Path, Path]) -> bytes:
    buffer = io.BytesIO()
    safeload.dump({"weights": np.arange(6.0), "names": ["a", "b"]}, buffer, "zlib", signer=team_module[0])
    return buffer.getvalue()


@pytest.fixture(scope="module")
def team_module(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("keys")
    safeload.keygen(folder / "team")
    return folder / "team.key", folder / "team.pub"


@pytest.fixture(scope="module")
def trust(team_module: tuple[Path, Path]) -> safeload.TrustStore:
    return safeload.TrustStore.from_file(team_module[1])


def refused(data: bytes, trust: safeload.TrustStore) -> None:
    with pytest.raises(safeload.SafeloadError):
        safeload.load(io.BytesIO(data), trust=trust)
    with pytest.raises(safeload.SafeloadError):
        safeload.verify(io.BytesIO(data), trust=trust)


def test_the_untouched_file_loads(artifact: bytes, trust: safeload.TrustStore) -> None:
    assert safeload.load(io.BytesIO(artifact), trust=trust)["names"] == ["a", "b"]


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_is_refused(artifact: bytes, trust: safeload.TrustStore, data: st.DataObject) -> None:
    # Half of the draws outside of the long zero padding, where most bits are.
    parts = st.one_of(
        st.integers(0, len(artifact) - 1), st.integers(PAYLOAD_OFF, len(artifact) - 1), st.integers(0, 63)
    )
    at, bit = data.draw(parts), data.draw(st.integers(0, 7))
    changed = bytearray(artifact)
    changed[at] ^= 1 << bit
    refused(bytes(changed), trust)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_truncation_is_refused(artifact: bytes, trust: safeload.TrustStore, data: st.DataObject) -> None:
    refused(artifact[: data.draw(st.integers(0, len(artifact) - 1))], trust)


@settings(max_examples=200, deadline=None)
@given(tail=st.binary(min_size=1, max_size=200))
def test_any_appended_byte_is_refused(artifact: bytes, trust: safeload.TrustStore, tail: bytes) -> None:
    refused(artifact + tail, trust)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_rewritten_stretch_is_refused(artifact: bytes, trust: safeload.TrustStore, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(artifact) - 1))
    new = data.draw(st.binary(min_size=1, max_size=100))
    changed = artifact[:at] + new + artifact[at + len(new) :]
    if changed != artifact:
        refused(changed, trust)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=5_000))
def test_random_bytes_are_refused(trust: safeload.TrustStore, data: bytes) -> None:
    refused(data, trust)
    refused(b"\x89SFL\r\n\x1a\n" + data, trust)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_inspecting_a_damaged_file_raises_nothing_but_our_own_errors(artifact: bytes, data: st.DataObject) -> None:
    changed = bytearray(artifact)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.one_of(st.integers(0, 63), st.integers(PAYLOAD_OFF, len(artifact) - 1)))
        changed[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(safeload.SafeloadError):
        _ = safeload.inspect(io.BytesIO(bytes(changed))).claimed


def test_nothing_is_deserialised_before_the_signature_holds(
    tmp_path: Path, team_module: tuple[Path, Path], trust: safeload.TrustStore
) -> None:
    mark, source, target = tmp_path / "mark", tmp_path / "m.pkl", tmp_path / "m.safeload"
    source.write_bytes(pickle.dumps(Mark(mark)))
    with pytest.warns(safeload.PolicyWarning):
        safeload.pack(source, target, signer=team_module[0])
    with pytest.warns(UserWarning, match="any code"):
        everything = safeload.Policy.unsafe_allow_all()
    good = target.read_bytes()
    for at in (PAYLOAD_OFF + 3, len(good) - 1, len(good) - 200, 20):
        broken = bytearray(good)
        broken[at] ^= 1
        with pytest.raises(safeload.SafeloadError):
            safeload.load(io.BytesIO(bytes(broken)), trust=trust, policy=everything)
        assert not mark.exists()
    with pytest.raises(safeload.SafeloadError):
        safeload.load(target, trust=trust)
    assert not mark.exists()
    # The payload does what it is made for, once nothing stands in its way: the test can fail.
    safeload.load(target, trust=trust, policy=everything)
    assert mark.exists()


def test_the_file_that_was_verified_is_the_file_that_is_loaded(tmp_path: Path, team_module: tuple[Path, Path]) -> None:
    target = tmp_path / "m.safeload"
    safeload.dump({"a": np.zeros(100_000)}, target, signer=team_module[0])
    artifact = safeload.verify(target, trust=team_module[1])
    data = bytearray(target.read_bytes())
    data[PAYLOAD_OFF + 10_000] ^= 1
    target.write_bytes(data)  # in place: the same inode that the artifact holds open
    with pytest.raises(safeload.errors.DigestMismatchError) as caught:
        artifact.load()
    assert caught.value.leaf == 0


def test_replacing_the_file_after_verifying_changes_nothing(tmp_path: Path, team_module: tuple[Path, Path]) -> None:
    target = tmp_path / "m.safeload"
    safeload.dump(["old"], target, signer=team_module[0])
    artifact = safeload.verify(target, trust=team_module[1])
    safeload.dump(["new"], target, signer=team_module[0])
    assert artifact.load() == ["old"]
