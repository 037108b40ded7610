"""Parameters of which a distribution never draws a number, or makes an array as long as a parameter says.

A search over parameters draws from a frozen distribution when it is fitted anew. All of scipy's were asked for one draw
with numbers from 1e-300 to infinity and nan, one by one and together: most refuse what is out of their domain. These do
not come back from compiled code, or take all memory. Others are slow, and can be interrupted: that is a new fit's time.
Sources: numpy/random/src/legacy/legacy-distributions.c (``legacy_vonmises``, ``legacy_random_zipf``),
scipy/stats/_continuous_distns.py and _discrete_distns.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["can_be_drawn"]

_MEMBERS_MAX = 10**7
# Class -> place of a shape, its least and its greatest.
_LIMITS: Mapping[str, tuple[int, float, float]] = {
    "irwinhall_gen": (0, 0, _MEMBERS_MAX),  # adds up as many draws
    "nhypergeom_gen": (0, 0, _MEMBERS_MAX),  # an item for each outcome
    "vonmises_gen": (0, -1e15, 1e15),
    "zipf_gen": (0, 1 + 1e-6, 1_000),  # nearly 1, draws are too large, and made again; 2**1025 is infinite
    "zipfian_gen": (1, 0, _MEMBERS_MAX),  # adds up as many terms
}


def can_be_drawn(dist: Any, shapes: Sequence[Any]) -> bool:
    """Whether the shapes of a distribution of scipy, or of a class derived from it, are such as it draws from."""
    import numpy as np

    for kind in type(dist).__mro__:
        if kind.__module__.startswith("scipy.stats.") and kind.__name__ in _LIMITS:
            place, least, most = _LIMITS[kind.__name__]
            value = np.asarray(shapes[place], float)
            return bool(((value >= least) & (value <= most)).all())
    return True
