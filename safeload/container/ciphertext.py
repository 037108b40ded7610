"""The arithmetic of an encrypted payload (docs/format.md, section 8): where which chunk lies. No key, no cipher."""

from __future__ import annotations

__all__ = ["CHUNK", "HEAD", "STORED", "TAG", "chunk_count", "stored_length"]

CHUNK = 16 * 1024
TAG = 16
STORED = CHUNK + TAG
HEAD = 24 + 32  # salt and key commitment


def chunk_count(size: int) -> int:
    """Chunks of a plaintext of `size` bytes: the last one is always shorter than the others, and may be empty.

    So a stream that was cut behind a chunk has no end, and there is one way to cut a plaintext into chunks.
    """
    return size // CHUNK + 1


def stored_length(size: int) -> int:
    """Bytes of the ciphertext of a plaintext of `size` bytes."""
    return HEAD + size + TAG * chunk_count(size)
