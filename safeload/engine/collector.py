"""Loading without the cyclic garbage collector, which finds nothing and looks at everything.

Rebuilding a model makes objects that all stay; each full collection meanwhile walks every object of the process.
For a forest that was half of the time. Reference counting goes on as ever.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["collection_paused"]

_lock = threading.Lock()
_loads = 0
_resume = False


@contextlib.contextmanager
def collection_paused() -> Iterator[None]:
    """Pause the collector until the last of the loads that run at the same time is done; leave a disabled one alone."""
    global _loads, _resume
    with _lock:
        _loads += 1
        if _loads == 1:
            _resume = gc.isenabled()
            gc.disable()
    try:
        yield
    finally:
        with _lock:
            _loads -= 1
            if _loads == 0 and _resume:
                gc.enable()
