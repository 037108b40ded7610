"""The joblib codec: any object that `joblib.dump` takes; joblib and pickle streams back into objects."""

from __future__ import annotations

import pickle
from typing import IO, Any

from safeload.codecs.base import Codec, LoadOptions
from safeload.engine.arrays import Memory
from safeload.engine.loading import load_stream
from safeload.errors import CodecError
from safeload.readers.compressed import decompress

__all__ = ["JOBLIB"]


def _write(value: Any, file: IO[bytes], protocol: int | None) -> None:
    import joblib

    try:
        joblib.dump(value, file, compress=0, protocol=protocol)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise CodecError(f"this {type(value).__name__} cannot be pickled: {error}") from error


def _load(view: memoryview, options: LoadOptions) -> Any:
    plain = decompress(view, options.limits)
    memory = Memory(
        plain, shared=not plain.readonly, writable=options.mmap_mode != "r", native=options.mmap_mode is None
    )
    return load_stream(memory, options.policy, member=options.member)


JOBLIB = Codec("joblib", _write, _load)
