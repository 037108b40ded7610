"""Small files that ask for much: memory, time or depth. Each must be refused before it costs anything."""

from __future__ import annotations

import bz2
import lzma
import pickle
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["BOMBS"]

P4 = b"\x80\x04"
MODULUS = (1 << 61) - 1
_ADLER = 65_521
_LARGE = 1 << 20


def _array_head(shape: bytes) -> bytes:
    """A joblib stream of one float64 array, up to its raw bytes."""
    names = [b"subclass", b"shape", b"order", b"dtype", b"allow_mmap", b"numpy_array_alignment_bytes"]
    keys = [b"\x8c" + bytes([len(name)]) + name for name in names]
    ndarray = b"\x8c\x05numpy\x8c\x07ndarray\x93"
    dtype = b"\x8c\x05numpy\x8c\x05dtype\x93\x8c\x02f8\x89\x88\x87R"
    dtype += b"(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    values = [ndarray, shape, b"\x8c\x01C", dtype, b"\x88", b"K\x10"]
    wrapper = b"\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93)\x81}("
    return P4 + wrapper + b"".join(key + value for key, value in zip(keys, values, strict=True)) + b"ub\x00"


def _gigabytes(count: int, first: bytes, piece: bytes, last: bytes) -> bytes:
    """``first + piece * count + last`` as zlib, never whole in memory, and of large pieces compressed once."""
    packer = zlib.compressobj(9)
    if len(piece) < _LARGE:
        parts = [packer.compress(first), *(packer.compress(piece) for _ in range(count)), packer.compress(last)]
        return b"".join(parts) + packer.flush()
    parts = [_block(packer, first), _block(packer, piece) * count, _block(packer, last)]
    sums = [(zlib.adler32(first), len(first)), *[(zlib.adler32(piece), len(piece))] * count]
    total = zlib.adler32(b"")
    for part, length in [*sums, (zlib.adler32(last), len(last))]:
        total = _both(total, part, length)
    return b"".join(parts) + packer.flush()[:-4] + struct.pack(">I", total)


def _block(packer: zlib._Compress, data: bytes) -> bytes:
    """What follows a full flush looks back at nothing, so that it may stand there again and again."""
    return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)


def _both(one: int, two: int, length: int) -> int:
    """Adler-32 of two texts behind each other, of their own and of the second one's length (RFC 1950, 8.2)."""
    low = (one & 0xFFFF) - 1
    high = (one >> 16) + (two >> 16) + low * length
    return (high % _ADLER) << 16 | (low + (two & 0xFFFF)) % _ADLER


def _laughs(opcode: bytes) -> bytes:
    return P4 + b")\x94" + b"".join(b"h" + bytes([n]) + b"h" + bytes([n]) + opcode + b"\x94" for n in range(100)) + b"."


def _colliding() -> bytes:
    keys = b"".join(b"\x8a\x0a" + (n * MODULUS).to_bytes(10, "little") + b"N" for n in range(1, 40_001))
    return P4 + b"}(" + keys + b"u."


_RIDGE = b"\x8c\x1bsklearn.linear_model._ridge\x8c\x05Ridge\x93\x94\x8c\x05alpha\x94]\x94("

BOMBS: Mapping[str, Callable[[], bytes]] = {
    "objects of one form without end": lambda: _gigabytes(380_000, P4 + _RIDGE, b"h\x00)\x81}h\x01Nsb", b"e."),
    "billion laughs of tuples, as a key": lambda: _laughs(b"\x86")[:-1] + b"}h\x64Ns.",
    "billion laughs of tuples": lambda: _laughs(b"\x86"),
    "billion laughs of lists": lambda: (
        P4 + b"]\x94" + b"".join(b"](h" + bytes([n]) + b"h" + bytes([n]) + b"e\x94" for n in range(60)) + b"h\x3c."
    ),
    "billion laughs of objects": lambda: (
        P4
        + b"csklearn.linear_model._ridge\nRidge\n\x94N\x94"
        + b"".join(
            b"h\x00)\x81}\x8c\x01ah" + bytes([n]) + b"s\x8c\x01bh" + bytes([n]) + b"sb\x94" for n in range(1, 60)
        )
        + b"."
    ),
    "billion laughs by DUP": lambda: P4 + b"})" + b"2\x86" * 40 + b"Ns.",
    "a huge LONG4": lambda: P4 + b"\x8b" + struct.pack("<i", 8 << 20) + b"\x7f" * (8 << 20) + b".",
    "a negative LONG4": lambda: P4 + b"\x8b" + struct.pack("<i", -1) + b".",
    "a decimal LONG of two million digits": lambda: b"L" + b"9" * 2_000_000 + b"L\n.",
    "LONG_BINPUT with a giant index": lambda: P4 + b"Nr\xff\xff\xff\x7f.",
    "PUT with a giant index": lambda: b"Np99999999999\n.",
    "a frame of 2**63 bytes": lambda: P4 + b"\x95" + struct.pack("<Q", 1 << 63) + b"N.",
    "bytes of 2**40": lambda: P4 + b"\x8e" + struct.pack("<Q", 1 << 40) + b"N.",
    "lists a million deep": lambda: b"]" * 1_000_000 + b"a" * 999_999 + b".",
    "tuples a million deep": lambda: b")" + b"\x85" * 1_000_000 + b".",
    "a deep tuple as a key": lambda: P4 + b"})" + b"\x85" * 4_000 + b"Ns.",
    "an array of 10 GB in zlib": lambda: _gigabytes(
        2_560, _array_head(b"\x8a\x05\x00\x00\x00\x50\x00\x85"), bytes(4 << 20), b"."
    ),
    "10 GB of opcodes in zlib": lambda: _gigabytes(2_560, P4 + b"(", b"N" * (4 << 20), b"t."),
    "300 MB of opcodes in zlib": lambda: _gigabytes(75, P4 + b"(", b"N" * (4 << 20), b"t."),
    "300 MB of opcodes in bz2": lambda: bz2.compress(P4 + b"(" + b"N" * (300 << 20) + b"t."),
    "300 MB of opcodes in xz": lambda: lzma.compress(P4 + b"(" + b"N" * (300 << 20) + b"t.", preset=0),
    "300 MB of lists in zlib": lambda: _gigabytes(75, P4 + b"(", b"]" * (4 << 20), b"t."),
    "300 MB of dicts in zlib": lambda: _gigabytes(75, P4 + b"(", b"}" * (4 << 20), b"t."),
    "300 MB of calls in zlib": lambda: _gigabytes(75, P4 + b"cm\nC\n\x94(", b"h\x00)R" * (1 << 20), b"t."),
    "one long name again and again": lambda: (
        P4 + b"X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"\x94](" + b"h\x00h\x00\x93" * 19_000 + b"e."
    ),
    "many globals": lambda: P4 + b"(" + b"cm\nC\n" * 100_000 + b"t.",
    "colliding integers as keys": _colliding,
    "colliding integers in a set": lambda: pickle.dumps({n * MODULUS for n in range(1, 5_000)}),
    "an array without its bytes": lambda: _array_head(b"\x8a\x06\x00\x00\x00\x00\x00\x10\x85") + b".",
    "an array of more items than a number holds": lambda: _array_head(b"\x8a\x09" + b"\xff" * 8 + b"\x00\x85") + b".",
    "_reconstruct of a huge shape": lambda: (
        P4
        + b"\x8c\x16numpy._core.multiarray\x8c\x0c_reconstruct\x93\x8c\x05numpy\x8c\x07ndarray\x93"
        + b"\x8a\x06\x00\x00\x00\x00\x00\x10\x85C\x01b\x87R."
    ),
    "bytearray of a number": lambda: P4 + b"cbuiltins\nbytearray\n\x8a\x05\x00\x00\x00\x00\x10\x85R.",
    "a fraction with an exponent": lambda: P4 + b"cfractions\nFraction\n\x8c\x0b1e999999999\x85R.",
    "a decimal with an exponent": lambda: P4 + b"cdecimal\nDecimal\n\x8c\x0b1e999999999\x85R.",
    "a long range": lambda: P4 + b"cbuiltins\nrange\nK\x00\x8a\x05\x00\x00\x00\x00\x10K\x01\x87R.",
    "a list of a long range": lambda: P4 + b"cbuiltins\nlist\ncbuiltins\nrange\nK\x00M\x00\x10K\x01\x87R\x85R.",
    "punycode": lambda: b"c_codecs\nencode\n(X\x05\x00\x00\x00aaaaaX\x08\x00\x00\x00punycodetR.",
    "a pattern of 100,000 alternatives": lambda: (
        P4 + b"cre\n_compile\nX" + struct.pack("<I", 300_000) + b"a|b" * 100_000 + b"K\x00\x86R."
    ),
    "a pattern with DEBUG": lambda: P4 + b"cre\n_compile\n\x8c\x01aM\x80\x00\x86R.",
}
