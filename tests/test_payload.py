"""Spans of a payload, alone and several in one go, are what was written, and a changed leaf gives none of them."""

from __future__ import annotations

import gc
import itertools
import mmap
import os
import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import safeload
from safeload.artifact.payload import ClearPayload, EncryptedPayload, ciphertext_head, read_members
from safeload.container import parallel, source
from safeload.container.ciphertext import CHUNK, stored_length
from safeload.container.layout import LEAF
from safeload.container.leaves import hash_leaves
from safeload.container.source import BufferSource
from safeload.errors import CorruptCiphertextError, DigestMismatchError, FormatError
from safeload.keys import new_file_key
from safeload.pages import Pages
from testkit.roundtrip import peak

if TYPE_CHECKING:
    from conftest import Keys
    from safeload.artifact.payload import Payload

PLAIN = np.random.default_rng(1).bytes(2 * LEAF + 3 * CHUNK + 5)


def _clear(plain: bytes) -> ClearPayload:
    return ClearPayload(BufferSource(plain), 0, hash_leaves("blake3", memoryview(plain)))


def _encrypted(plain: bytes) -> EncryptedPayload:
    head, key = new_file_key(bytes(16))
    stored = bytearray(stored_length(len(plain)))
    stored[: len(head)] = head
    key.chunks.seal(0, memoryview(plain), memoryview(stored)[len(head) :])
    source = BufferSource(stored)
    table = hash_leaves("blake3", memoryview(stored))
    assert ciphertext_head(source, 0, table) == head
    return EncryptedPayload(source, 0, table, len(plain), key)


PAYLOADS: dict[str, Payload] = {"clear": _clear(PLAIN), "encrypted": _encrypted(PLAIN)}

_PLACES = st.one_of(
    st.integers(0, len(PLAIN)),
    st.builds(
        lambda place, more: min(max(0, place + more), len(PLAIN)),
        st.sampled_from([1, CHUNK, LEAF - 4200, LEAF, 2 * LEAF, len(PLAIN)]),
        st.integers(-3, 3),
    ),
)
# Cut the payload in some places, and take some of the pieces: apart, side by side, and empty.
_SPANS = (
    st.lists(_PLACES, min_size=2, max_size=9)
    .map(sorted)
    .flatmap(lambda cuts: st.lists(st.sampled_from([*itertools.pairwise(cuts)]), min_size=1, unique=True).map(sorted))
)


def _members(payload: Payload, spans: list[tuple[int, int]]) -> list[memoryview]:
    return read_members(payload, spans, ["numpy.arrays"] * len(spans))


@pytest.mark.parametrize("kind", PAYLOADS)
@given(_SPANS)
@settings(max_examples=80, deadline=None)
def test_any_spans_are_what_was_written_together_and_one_by_one(kind: str, spans: list[tuple[int, int]]) -> None:
    payload = PAYLOADS[kind]
    wanted = [PLAIN[begin:end] for begin, end in spans]
    assert payload.read(spans) == wanted
    assert [payload.read([span])[0] for span in spans] == wanted
    assert _members(payload, spans) == wanted


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_thousand_small_spans_across_the_borders_of_leaves_are_right(kind: str) -> None:
    cuts = range(LEAF - 50_000, LEAF + 50_000, 100)
    spans = [(cut, cut + 100) for cut in cuts]
    assert b"".join(PAYLOADS[kind].read(spans)) == PLAIN[cuts.start : cuts.stop]


@pytest.mark.parametrize("kind", PAYLOADS)
def test_an_empty_span_at_the_border_of_a_leaf_hides_no_other(kind: str) -> None:
    spans = [(LEAF - 9, LEAF), (LEAF, LEAF), (LEAF + 50_000, LEAF + 50_001)]
    assert PAYLOADS[kind].read(spans) == [PLAIN[begin:end] for begin, end in spans]


@pytest.mark.parametrize("kind", PAYLOADS)
def test_what_is_read_in_one_go_shares_no_memory(kind: str) -> None:
    for read in (PAYLOADS[kind].read, partial(_members, PAYLOADS[kind])):
        one, other = read([(0, 100), (100, 200)])
        one[:] = bytes(100)
        assert other == PLAIN[100:200]
        assert read([(0, 100)])[0] == PLAIN[:100]


def test_small_members_side_by_side_lie_in_the_same_pages_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safeload.artifact.payload._TOGETHER_MAX", 1_000)
    spans = [(0, 300), (300, 700), (700, 1_000), (1_000, 1_001), (1_064, 1_070), (1_070, 9_000), (9_000, 9_000)]
    views = _members(PAYLOADS["clear"], spans)
    assert views == [PLAIN[begin:end] for begin, end in spans]
    kept = [id(view.obj) for view in views]
    assert kept[0] == kept[1] == kept[2]
    assert len({*kept}) == 4 + 1  # and nothing that is far away, or large


@pytest.mark.parametrize("place", [10, LEAF - 1, LEAF, 2 * LEAF + 9])
def test_a_changed_leaf_is_named_each_time_that_it_is_read(place: int) -> None:
    changed = bytearray(PLAIN)
    changed[place] ^= 1
    payload = ClearPayload(BufferSource(changed), 0, hash_leaves("blake3", memoryview(PLAIN)))
    leaf = place // LEAF
    for _ in range(2):  # what did not pass is not kept for the next who asks
        with pytest.raises(DigestMismatchError, match=f"leaf {leaf} "):
            payload.read([(leaf * LEAF + 1, leaf * LEAF + 3), (leaf * LEAF + 3, leaf * LEAF + 5)])
        with pytest.raises(DigestMismatchError, match=f"leaf {leaf} "):
            payload.read([(0, 7), (7, len(PLAIN))])


def test_a_chunk_that_another_key_sealed_gives_no_span_of_it() -> None:
    payload = _encrypted(PLAIN)
    other = EncryptedPayload(payload.source, 0, payload.table, payload.size, new_file_key(bytes(16))[1])
    with pytest.raises(CorruptCiphertextError):
        other.read([(5, 9), (LEAF, LEAF + 3)])


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux' account of memory")  # noqa: PTH110
@pytest.mark.parametrize("size", [1_100_000, 3_000_000, 10_000_000])
def test_memory_for_many_of_one_size_is_little_more_than_that_size(size: int) -> None:
    """Huge pages for the whole of a megabyte would be two."""

    def resident() -> int:
        status = Path("/proc/self/status").read_text("utf-8")
        return 1024 * int(re.findall(r"VmRSS:\s+(\d+)", status)[0])

    before, kept = resident(), []
    for _ in range(80_000_000 // size):
        kept.append(source.allocate(size))
        kept[-1][:: mmap.PAGESIZE] = bytes(len(kept[-1][:: mmap.PAGESIZE]))
    assert resident() - before < 1.1 * size * len(kept)


def test_a_refused_load_keeps_nothing_of_the_file_until_the_collector_comes(
    tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "_cores", lambda: 2)  # of one the error is raised where it happened
    safeload.dump({f"w{n}": np.full(3_000_000, n, "f4") for n in range(4)}, tmp_path / "m", signer=team.key)
    with (tmp_path / "m").open("r+b") as file:
        file.seek(20_000_000)
        file.write(b"changed")
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(DigestMismatchError) as caught:
            safeload.load(tmp_path / "m", trust=team.pub)
        del caught
        assert not [kept for kept in gc.get_objects() if isinstance(kept, Pages)]
    finally:
        gc.enable()


def test_a_small_file_that_is_cut_while_it_is_read_is_named_and_closed(
    tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeload.dump([1], tmp_path / "small.safeload", signer=team.key)
    closed: list[int] = []
    real = os.close
    monkeypatch.setattr(source, "os", SimpleNamespace(**{**vars(os), "preadv": lambda *_: 0, "close": closed.append}))
    with pytest.raises(FormatError, match=r"small\.safeload.*ends at byte 0; it was cut while being read"):
        safeload.load(tmp_path / "small.safeload", trust=team.pub)
    assert len(closed) == 1
    real(closed[0])


def test_arrays_beside_a_stream_do_not_keep_its_words(tmp_path: Path, team: Keys) -> None:
    words = ["a word of the stream"] * 100
    value: dict[str, Any] = {"words": words, "a": np.arange(20_000.0), "b": np.arange(30_000.0)}
    safeload.dump(value, tmp_path / "m", signer=team.key, codec="pickle")
    loaded = safeload.load(tmp_path / "m", trust=team.pub)
    assert np.array_equal(loaded["a"], value["a"])
    base = loaded["a"]
    while isinstance(base, np.ndarray):
        base = base.base
    kept = memoryview(memoryview(base).obj)
    assert len(kept) > value["a"].nbytes
    assert words[0].encode() not in bytes(kept)


def test_numbers_of_another_byte_order_are_not_there_twice_at_the_end(tmp_path: Path, team: Keys) -> None:
    for name, order in (("native", "<f8"), ("other", ">f8")):
        value = {f"w{n}": np.full(1_500_000, n, order) for n in range(8)}  # 96 MB
        safeload.dump(value, tmp_path / name, signer=team.key)
    more = peak(tmp_path / "other", team) - peak(tmp_path / "native", team)
    assert more < 40_000_000, more  # one of them, or what lies in the same pages
