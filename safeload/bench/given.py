"""The data that a model is asked about: arrays and tables as they are, or files of numbers. Never a pickle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeload.codecs import CODECS, Held, LoadOptions
from safeload.errors import CodecError, SafeloadError
from safeload.limits import DEFAULT_LIMITS
from safeload.policy import Policy
from safeload.text import printable

if TYPE_CHECKING:
    import numpy as np

__all__ = ["data_of"]

_CSV, _NPY = ".csv", ".npy"


def data_of(given: Any, targets: Any) -> tuple[Any, Any]:
    """Data and targets. A text is the path of an ``.npy`` or ``.csv`` file, or the name of a column of that table.

    Raises ValueError for another ending, an unknown column and what is no number; CodecError, OSError.
    """
    if not isinstance(given, (str, os.PathLike)):
        return given, _read(targets) if _is_path(targets) else targets
    if _ending(given) != _CSV:
        return _read(given), _read(targets) if _is_path(targets) else targets
    names, rows = _table(given)
    if isinstance(targets, str) and _ending(targets) != _NPY:
        return _split(names, rows, targets, given)
    return _numbers(names, rows, given), _read(targets) if _is_path(targets) else targets


def _is_path(given: Any) -> bool:
    return isinstance(given, (str, os.PathLike))


def _ending(path: str | os.PathLike[str]) -> str:
    return Path(path).suffix.lower()


def _read(path: str | os.PathLike[str]) -> Any:
    """An array, by our own reader: it holds no objects."""
    if _ending(path) != _NPY:
        raise ValueError(f"{printable(os.fspath(path))} is neither .npy nor .csv: data is read from these")
    held = Held(os.fspath(path), "numpy.array", lambda: memoryview(bytearray(Path(path).read_bytes())))
    options = LoadOptions(policy=Policy.default(), mmap_mode=None, limits=DEFAULT_LIMITS)
    try:
        return CODECS["numpy"].load([held], options)
    except SafeloadError as error:
        error.locate(os.fspath(path))
        raise


def _table(path: str | os.PathLike[str]) -> tuple[list[str], list[list[str]]]:
    import csv

    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            names, *rows = [row for row in csv.reader(file, strict=True) if row]
    except (csv.Error, UnicodeDecodeError, ValueError) as error:
        raise CodecError(f"{printable(os.fspath(path))} is no table with a line of names: {error}") from error
    if any(len(row) != len(names) for row in rows) or not rows:
        raise CodecError(f"{printable(os.fspath(path))} is no table: its lines do not have as many fields as the first")
    return names, rows


def _split(names: list[str], rows: list[list[str]], target: str, path: str | os.PathLike[str]) -> tuple[Any, Any]:
    if names.count(target) != 1:
        raise ValueError(f"{printable(os.fspath(path))} has no one column {printable(target)}: {_some(names)}")
    at = names.index(target)
    column = [row.pop(at) for row in rows]
    return _numbers(names[:at] + names[at + 1 :], rows, path), _labels(column)


def _some(names: list[str]) -> str:
    shown = ", ".join(printable(name, 40) for name in names[:8])
    return f"{shown} ..." if len(names) > 8 else shown


def _numbers(names: list[str], rows: list[list[str]], path: str | os.PathLike[str]) -> np.ndarray[Any, Any]:
    import numpy as np

    try:
        return np.array(rows, "f8")
    except ValueError:
        line, at = next((i, j) for i, row in enumerate(rows) for j, cell in enumerate(row) if not _is_number(cell))
        where = f"{printable(os.fspath(path))}: column {printable(names[at], 40)}, row {line + 1}"
        raise ValueError(f"{where}: {printable(rows[line][at], 40)!r} is no number") from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _labels(column: list[str]) -> np.ndarray[Any, Any]:
    """Whole numbers, numbers, or texts: whichever all of them are."""
    import numpy as np

    for kind in ("i8", "f8"):
        try:
            return np.array(column).astype(kind)
        except (ValueError, OverflowError):
            continue
    return np.array(column)
