"""The joblib codec: any object that `joblib.dump` takes; joblib and pickle streams back into objects."""

from __future__ import annotations

from typing import IO, Any

from safeload.codecs.base import Codec, LoadOptions
from safeload.engine.arrays import Memory
from safeload.engine.loading import load_stream
from safeload.errors import CodecError
from safeload.readers.buffer import Buffer, Work
from safeload.readers.compressed import plain_buffer
from safeload.text import printable

__all__ = ["JOBLIB", "work_for"]


def _write(value: Any, file: IO[bytes], protocol: int | None) -> None:
    import joblib

    try:
        joblib.dump(value, file, compress=0, protocol=protocol)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever the classes of the object raise
        raise CodecError(f"this {type(value).__name__} cannot be pickled: {printable(str(error))}") from error


def work_for(buffer: Buffer, stored: int) -> Work | None:
    """What the stream in `buffer` may cost, which was `stored` bytes long before it was decompressed."""
    return None if buffer.is_whole else Work.of(stored)


def _load(view: memoryview, options: LoadOptions) -> Any:
    buffer = plain_buffer(view, options.limits)
    memory = Memory(
        buffer,
        work=work_for(buffer, len(view)),
        shared=not view.readonly or not buffer.is_whole,
        writable=options.mmap_mode != "r",
        native=options.mmap_mode is None,
    )
    return load_stream(memory, options.policy, member=options.member)


JOBLIB = Codec("joblib", _write, _load)
