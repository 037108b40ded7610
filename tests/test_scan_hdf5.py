"""Large arrays in HDF5: numbers that begin like a pickle are looked at where they stand, however many they are."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

import safeload
from test_scan_attacks import CALL

if TYPE_CHECKING:
    from pathlib import Path

_MANY = 70 << 20  # bytes: more than the child hands over


def scanned(data: bytes, kind: str = "f4", **how: object) -> int:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("w", data=np.frombuffer(data, "u1").view(kind), **how)
    return safeload.scan(io.BytesIO(buffer.getvalue())).exit_code


@pytest.mark.parametrize(
    "first", [b"K\1\2\x3f", b"cab\xbf", b"N.", b"B\0\0\0", b"X\0\1\0", b"\x80\x04\x95\x3f", b"(]})"]
)
def test_many_numbers_that_begin_like_a_pickle_are_numbers(first: bytes) -> None:
    numbers = np.random.default_rng(0).normal(size=_MANY // 4).astype("f4").tobytes()
    assert scanned(first + numbers[len(first) :]) == 0
    assert scanned((first + numbers[len(first) :])[:100_000]) == 0


@pytest.mark.parametrize("kind", ["f4", "f8", "u1"])
def test_a_model_of_many_arrays_is_not_taken_for_pickles(kind: str) -> None:
    numbers = np.random.default_rng(1)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for number in range(5_000):
            values = numbers.integers(0, 256, 64) if kind == "u1" else numbers.normal(size=64)
            file.create_dataset(str(number), data=values.astype(kind))
    assert safeload.scan(io.BytesIO(buffer.getvalue())).exit_code == 0


@pytest.mark.parametrize("kind", ["f4", "i8", "c8", "u1", "S1"])
def test_a_pickle_is_found_in_numbers_of_any_kind(kind: str) -> None:
    assert scanned(CALL.ljust(64, b"."), kind) == 1


def test_a_call_behind_many_bytes_is_found() -> None:
    size = _MANY - 8 - len(CALL)
    assert scanned((b"\x80\x04B" + struct.pack("<I", size) + bytes(size) + b"0" + CALL).ljust(_MANY, b".")) == 1


def test_many_numbers_in_pieces_that_begin_like_a_pickle_are_not_called_clean() -> None:
    assert scanned(b"K\1\2\x3f" + bytes(_MANY), chunks=(1 << 18,), compression="gzip") == 2


def test_arrays_that_nobody_stored_are_not_taken_for_read(tmp_path: Path) -> None:
    """HDF5 stores no chunk that was never written; whoever reads the array needs memory for all of it."""
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["layer_names"] = []
        file.create_dataset("w", (1 << 30,), "f4", chunks=(1 << 20,), compression="gzip")
    assert not safeload.scan(tmp_path / "m.h5").complete


def test_weights_that_are_named_again_and_again_count_each_time(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_dataset("g/w", data=np.zeros(1 << 18, "f4"))
        file["g"].attrs["weight_names"] = [b"w"] * 8
        file.attrs["layer_names"] = [b"g"]
    assert safeload.scan(tmp_path / "m.h5").complete
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file["g"].attrs["weight_names"] = [b"w"] * 2_000
    assert not safeload.scan(tmp_path / "m.h5").complete
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file["g"].attrs["weight_names"] = [b"v"]
        file["g/v"] = h5py.SoftLink("/g/w")
    assert not safeload.scan(tmp_path / "m.h5").complete
