"""The joblib codec: any object that `joblib.dump` takes; joblib and pickle streams back into objects."""

from __future__ import annotations

import pickle
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part
from safeload.codecs.frameworks_inside import refuse_models
from safeload.engine.arrays import Memory
from safeload.engine.loading import load_stream
from safeload.errors import CodecError
from safeload.pages import returner
from safeload.readers.buffer import Buffer, Work
from safeload.readers.compressed import plain_buffer
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["JOBLIB", "work_for"]


_MEMBER = "model.joblib"


def _parts(value: Any, protocol: int | None) -> list[Part]:
    refuse_models(value)
    return [Part(_MEMBER, partial(_write, value, protocol), JOBLIB.name)]


def _write(value: Any, protocol: int | None, file: IO[bytes]) -> None:
    import joblib

    from safeload.codecs.joblib_stream import LEAST_PROTOCOL, dump_stream

    protocol = pickle.DEFAULT_PROTOCOL if protocol is None else protocol
    try:
        if protocol >= LEAST_PROTOCOL:
            dump_stream(value, file, protocol)
        else:
            joblib.dump(value, file, compress=0, protocol=protocol)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever the classes of the object raise
        raise CodecError(f"this {type(value).__name__} cannot be pickled: {printable(str(error))}") from error


def work_for(buffer: Buffer, stored: int) -> Work | None:
    """What the stream in `buffer` may cost, which was `stored` bytes long before it was decompressed."""
    return None if buffer.is_whole else Work.of(stored)


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    if len(held) != 1:
        raise CodecError(f"{len(held)} streams are not one object")
    (member,) = held
    view = member.read()
    buffer = plain_buffer(view, options.limits)
    memory = Memory(
        buffer,
        work=work_for(buffer, len(view)),
        shared=not view.readonly or not buffer.is_whole,
        writable=options.mmap_mode != "r",
        native=options.mmap_mode is None,
        give_back=returner(view) if buffer.is_whole else None,  # which are nobody else's
    )
    return load_stream(memory, options.policy, member=member.name)


JOBLIB = Codec("joblib", (), lambda value: True, _parts, _load)
