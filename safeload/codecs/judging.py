"""A stream held against a policy without a step towards the object: analysed, and neither rewritten nor loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.engine.tables import WATCHED
from safeload.policy.needs import Needs, needs_of
from safeload.readers.buffer import Work
from safeload.readers.compressed import plain_buffer
from safeload.readers.joblib import analyse

if TYPE_CHECKING:
    from safeload.limits import Limits
    from safeload.policy import Policy

__all__ = ["needs_of_bytes"]


def needs_of_bytes(
    view: memoryview, stored: int, policy: Policy, limits: Limits, *, file: str, artifact: bool, beside: int = 0
) -> Needs:
    """What the joblib or pickle stream in `view` needs, which was `stored` bytes long before it was decompressed.

    `beside` is how many buffers there are besides. Raises StreamError where it cannot be read to its end, LimitError,
    MissingExtraError.
    """
    buffer = plain_buffer(view, limits)
    work = None if buffer.is_whole and stored == len(view) else Work.of(min(stored, len(view)))
    stream = analyse(buffer, watch=WATCHED, work=work, out_of_band=beside)
    buffer.reach(stream.end + 1)
    return needs_of(stream, policy, file=file, artifact=artifact, complete=stream.end == len(buffer.view))
