"""Small streams that were analysed before: a service may load one small model again for each request.

Bytes of one digest are the same bytes, and an analysis never changes. None of the bytes are kept, since they may have
been encrypted: what repeats refers to them, and is analysed anew.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from safeload.engine.tables import WATCHED
from safeload.readers.joblib import analyse

if TYPE_CHECKING:
    from safeload.engine.arrays import Memory
    from safeload.readers.observations import Stream

__all__ = ["analysed"]

_SIZE_MAX, _KEPT_MAX = 1 << 16, 64
_kept: dict[bytes, Stream] = {}


def analysed(memory: Memory, out_of_band: int) -> Stream:
    """The analysis of ``memory.view``, beside which there are so many buffers. Raises StreamError, LimitError."""
    if len(memory.view) > _SIZE_MAX or not memory.buffer.is_whole or out_of_band:
        return analyse(memory.buffer, watch=WATCHED, work=memory.work, out_of_band=out_of_band)
    digest = hashlib.sha256(memory.view).digest()
    stream = _kept.get(digest)
    if stream is None:
        stream = analyse(memory.buffer, watch=WATCHED, work=memory.work)
        if not stream.repeats:
            while len(_kept) >= _KEPT_MAX:
                _kept.pop(next(iter(_kept.copy())), None)
            _kept[digest] = stream
    return stream
