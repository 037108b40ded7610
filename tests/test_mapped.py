"""A mapped file knows where each piece of it stands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from safeload.mapped import mapped, place_of

if TYPE_CHECKING:
    from pathlib import Path

_DATA = bytes(range(256)) * 100


@pytest.fixture
def view(tmp_path: Path) -> memoryview:
    (tmp_path / "file").write_bytes(_DATA)
    with (tmp_path / "file").open("rb") as file:
        found = mapped(file)
    (tmp_path / "file").unlink()
    return found


@pytest.mark.parametrize(("start", "end"), [(0, len(_DATA)), (5, 500), (len(_DATA) - 1, len(_DATA))])
@pytest.mark.parametrize("how", [lambda view: view, memoryview.toreadonly, lambda view: view.cast("b")])
def test_a_piece_is_where_it_says(view: memoryview, start: int, end: int, how: object) -> None:
    place = place_of(how(view[start:end]))  # type: ignore[operator]
    assert place is not None
    assert (place.start, place.size) == (start, end - start)
    assert os.pread(place.fd, place.size, place.start) == _DATA[start:end]


def test_other_memory_is_nowhere(view: memoryview, tmp_path: Path) -> None:
    assert place_of(memoryview(b"abc")) is None
    assert place_of(view[3:3]) is None
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open("rb") as file:
        assert place_of(mapped(file)) is None


def test_the_file_is_closed_with_the_last_view_of_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(_DATA)
    with (tmp_path / "file").open("rb") as file:
        piece = mapped(file)[10:20]
    place = place_of(piece)
    assert place is not None
    assert os.fstat(place.fd).st_size == len(_DATA)
    del piece
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(place.fd)
