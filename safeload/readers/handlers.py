"""One function an opcode, for those that the loop of :mod:`safeload.readers.pickle` does not handle itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.readers import containers, making, odd, values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.readers.handling import Handler

__all__ = ["HANDLERS"]

HANDLERS: Mapping[int, Handler] = {
    **values.HANDLERS,
    **containers.HANDLERS,
    **making.HANDLERS,
    **odd.HANDLERS,
}
