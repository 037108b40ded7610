"""The chunked encryption against `cryptography.cobblestone`, which was written by others from the same document."""

from __future__ import annotations

import os

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from safeload.container import ciphertext
from safeload.errors import CorruptCiphertextError
from safeload.hazmat import chunks
from safeload.hazmat.chunks import CHUNK, HEAD, STORED, TAG

KEY, CONTEXT = bytes(range(32)), b"safeload/v1 payload\0" + bytes(16)
unhurried = settings(deadline=None)  # a busy machine is no failure
SIZES = st.one_of(
    st.integers(0, 3 * CHUNK),
    st.builds(lambda whole, off: max(0, whole * CHUNK + off), st.integers(0, 5), st.integers(-1, 1)),
)


def _bytes(size: int) -> bytes:
    return (b"plaintext %d " % size * (size // 12 + 1))[:size]


def _sealed(plain: bytes, key: bytes = KEY, context: bytes = CONTEXT, *, run: int = 2) -> bytes:
    """A whole stream, sealed by runs of chunks, as threads do it."""
    head, chunk_key = chunks.new_stream(key, context)
    stored = bytearray(ciphertext.stored_length(len(plain)))
    stored[:HEAD] = head
    count = len(plain) // CHUNK + 1
    for first in range(0, count, run):
        piece = memoryview(plain)[first * CHUNK : (first + run) * CHUNK]
        part = memoryview(stored)[HEAD:][first * STORED : (first + run) * STORED]
        chunk_key.seal(first, piece, part)
    return bytes(stored)


def _opened(stored: bytes, first: int = 0, last: int | None = None) -> bytes:
    key = chunks.open_stream(KEY, CONTEXT, stored[:HEAD])
    assert key is not None
    body = memoryview(stored)[HEAD:][first * STORED : last and last * STORED]
    plain = bytearray(len(body) - TAG * -(-len(body) // STORED))
    key.open(first, body, memoryview(plain))
    return bytes(plain)


@given(SIZES, st.integers(1, 4))
@unhurried
def test_cobblestone_opens_what_is_sealed_here(size: int, run: int) -> None:
    plain = _bytes(size)
    theirs = Cobblestone256Decryptor(KEY, CONTEXT)
    assert theirs.update(_sealed(plain, run=run)) + theirs.finalize() == plain


@given(SIZES, st.integers(1, 40_000))
@unhurried
def test_what_cobblestone_seals_is_opened_here(size: int, step: int) -> None:
    plain = _bytes(size)
    theirs = Cobblestone256Encryptor(KEY, CONTEXT)
    stored = b"".join(theirs.update(plain[at : at + step]) for at in range(0, size, step)) + theirs.finalize()
    assert len(stored) == ciphertext.stored_length(size)
    assert _opened(stored) == plain


@given(st.integers(0, 4), st.integers(0, 4))
@unhurried
def test_any_run_of_chunks_is_opened_alone(first: int, count: int) -> None:
    plain = _bytes(4 * CHUNK + 100)
    stored = _sealed(plain)
    last = min(first + count, 5)
    if first < last:
        assert _opened(stored, first, last) == plain[first * CHUNK : last * CHUNK]


def test_the_same_salt_gives_the_same_bytes_as_cobblestone(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = _bytes(50_000)
    theirs = Cobblestone256Encryptor(KEY, CONTEXT)
    stored = theirs.update(plain) + theirs.finalize()
    monkeypatch.setattr(os, "urandom", lambda size: stored[:size])
    assert _sealed(plain) == stored


def test_the_container_and_the_cipher_agree_on_the_arithmetic() -> None:
    assert (ciphertext.CHUNK, ciphertext.TAG, ciphertext.HEAD, ciphertext.STORED) == (CHUNK, TAG, HEAD, STORED)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_a_cut_at_a_chunk_is_noticed_because_the_last_one_is_short(size: int) -> None:
    stored = _sealed(_bytes(size))
    whole = (len(stored) - HEAD) // STORED * STORED
    for cut in {HEAD + at for at in range(0, whole + 1, STORED)} - {len(stored)}:
        theirs = Cobblestone256Decryptor(KEY, CONTEXT)
        theirs.update(stored[:cut])
        with pytest.raises(InvalidTag):
            theirs.finalize()
        assert all(ciphertext.stored_length(other) != cut for other in range(0, size + CHUNK, 7))


@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_the_chunk_that_was_changed_is_named(chunk: int) -> None:
    stored = bytearray(_sealed(_bytes(2 * CHUNK + 5)))
    stored[HEAD + chunk * STORED] ^= 1
    with pytest.raises(CorruptCiphertextError) as caught:
        _opened(bytes(stored))
    assert caught.value.chunk == chunk


def test_swapped_chunks_are_not_authentic() -> None:
    stored = _sealed(_bytes(3 * CHUNK))
    first, second = stored[HEAD : HEAD + STORED], stored[HEAD + STORED : HEAD + 2 * STORED]
    with pytest.raises(CorruptCiphertextError):
        _opened(stored[:HEAD] + second + first + stored[HEAD + 2 * STORED :])


def test_a_short_chunk_in_the_middle_is_not_the_end_of_another_stream() -> None:
    stored = _sealed(_bytes(2 * CHUNK + 5))
    with pytest.raises(CorruptCiphertextError):
        _opened(stored[: HEAD + STORED + 1000])


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=40), st.integers(0, HEAD - 1))
@unhurried
def test_no_other_key_context_or_head_is_committed_to(key: bytes, context: bytes, place: int) -> None:
    head = _sealed(b"")[:HEAD]
    changed = bytearray(head)
    changed[place] ^= 1
    assert chunks.open_stream(KEY, CONTEXT, head) is not None
    assert chunks.open_stream(KEY, CONTEXT, bytes(changed)) is None
    assert key == KEY or chunks.open_stream(key, CONTEXT, head) is None
    assert context == CONTEXT or chunks.open_stream(KEY, context, head) is None


def test_no_key_shows_in_a_repr() -> None:
    _, key = chunks.new_stream(KEY, CONTEXT)
    assert "b'" not in repr(key)
    assert str(key.nonce) not in repr(key)
