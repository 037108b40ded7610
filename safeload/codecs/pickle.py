"""The pickle codec: what `pickle.dump` writes, with large arrays beside it (PEP 574), each in a member of its own.

Nothing of it is copied: arrays lie on the verified memory. Without the protocol for that, the stream is all there is.
"""

from __future__ import annotations

import io
import pickle
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part
from safeload.codecs.frameworks_inside import refuse_models
from safeload.engine.arrays import Memory
from safeload.engine.loading import load_stream
from safeload.errors import CodecError
from safeload.kinds import OUT_OF_BAND
from safeload.readers.buffer import Buffer
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PICKLE"]

_STREAM = "pickle"
_MEMBER = "model.pickle"
_PROTOCOL = 5  # the first that keeps buffers apart
# A member has a line in the manifest and a place of its own in the file: not worth it for less, nor for more of them.
_BUFFER_MIN = 64 * 1024
_BUFFERS_MAX = 1_000


def _parts(value: Any, protocol: int | None) -> list[Part]:
    refuse_models(value)
    protocol = _PROTOCOL if protocol is None else protocol
    if protocol < _PROTOCOL:
        return [Part(_MEMBER, partial(_write, value, protocol, None), _STREAM)]
    from numpy import ndarray

    buffers: list[memoryview] = []

    def within(buffer: pickle.PickleBuffer) -> bool:
        """Whether it stays in the stream."""
        try:
            raw = buffer.raw()
        except BufferError:  # its items lie apart
            return True
        if not isinstance(memoryview(buffer).obj, ndarray):  # loading gives the memory of a buffer to an array only
            return True
        if raw.nbytes < _BUFFER_MIN or len(buffers) >= _BUFFERS_MAX:
            return True
        buffers.append(raw)
        return False

    stream = io.BytesIO()
    _write(value, protocol, within, stream)
    return [
        Part(_MEMBER, partial(_copy, stream.getbuffer()), _STREAM),
        *(Part(f"buffers/{index:04}", partial(_copy, raw), OUT_OF_BAND) for index, raw in enumerate(buffers)),
    ]


def _write(value: Any, protocol: int, within: Any, file: IO[bytes]) -> None:
    try:
        pickle.Pickler(file, protocol, buffer_callback=within).dump(value)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever the classes of the object raise
        raise CodecError(f"this {type(value).__name__} cannot be pickled: {printable(str(error))}") from error


def _copy(view: memoryview, file: IO[bytes]) -> None:
    file.write(view)


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    if [member.kind for member in held] != [_STREAM, *[OUT_OF_BAND] * (len(held) - 1)]:
        raise CodecError("the members of this artifact are not a pickle and its buffers")
    memory = Memory(
        Buffer(held[0].read()),
        work=None,
        shared=True,
        writable=options.mmap_mode != "r",
        native=False,
    )
    buffers = [member.read() for member in held[1:]]
    return load_stream(memory, options.policy, member=held[0].name, buffers=buffers)


PICKLE = Codec("pickle", (), lambda value: False, _parts, _load, at_once=True)
