"""The joblib codec: any object that `joblib.dump` takes; joblib and pickle streams back into objects."""

from __future__ import annotations

from typing import IO, Any

from safeload.codecs.base import Codec, LoadOptions
from safeload.engine.arrays import Memory
from safeload.engine.loading import load_stream
from safeload.errors import CodecError
from safeload.readers.compressed import decompress
from safeload.text import printable

__all__ = ["JOBLIB"]

# An array of zeros may be a thousandth of its size on disk; the names and numbers of a model are not.
_OPCODES_FLOOR = 1 << 20
_OPCODES_RATIO = 50


def _write(value: Any, file: IO[bytes], protocol: int | None) -> None:
    import joblib

    try:
        joblib.dump(value, file, compress=0, protocol=protocol)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever the classes of the object raise
        raise CodecError(f"this {type(value).__name__} cannot be pickled: {printable(str(error))}") from error


def _load(view: memoryview, options: LoadOptions) -> Any:
    plain = decompress(view, options.limits)
    memory = Memory(
        plain,
        most_opcodes=None if plain is view else _OPCODES_FLOOR + _OPCODES_RATIO * len(view),
        shared=not plain.readonly,
        writable=options.mmap_mode != "r",
        native=options.mmap_mode is None,
    )
    return load_stream(memory, options.policy, member=options.member)


JOBLIB = Codec("joblib", _write, _load)
