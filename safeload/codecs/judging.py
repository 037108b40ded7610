"""A stream held against a policy without a step towards the object: analysed, and neither rewritten nor loaded."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

from safeload.engine.tables import WATCHED
from safeload.policy.judge import made_of
from safeload.policy.needs import Needs, needs_of
from safeload.readers.buffer import Work
from safeload.readers.compressed import plain_buffer
from safeload.readers.joblib import analyse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.limits import Limits
    from safeload.policy import Policy

__all__ = ["NO_STREAM", "needs_of_bytes"]

NO_STREAM = memoryview(pickle.dumps(None))  # that needs nothing


def needs_of_bytes(
    view: memoryview,
    stored: int,
    policy: Policy,
    limits: Limits,
    *,
    file: str,
    artifact: bool,
    made: Sequence[tuple[str, str]] = (),
    beside: int = 0,
) -> Needs:
    """What the joblib or pickle stream in `view` needs, which was `stored` bytes long before it was decompressed.

    `made` are classes besides, of what is made of a model beside the stream; `beside` is how many buffers there are.
    Raises StreamError where the stream cannot be read to its end, LimitError, MissingExtraError.
    """
    buffer = plain_buffer(view, limits)
    work = None if buffer.is_whole and stored == len(view) else Work.of(min(stored, len(view)))
    stream = analyse(buffer, watch=WATCHED, work=work, out_of_band=beside)
    buffer.reach(stream.end + 1)
    stream = replace(stream, globals=(*map(made_of, made), *stream.globals))
    return needs_of(stream, policy, file=file, artifact=artifact, complete=stream.end == len(buffer.view))
