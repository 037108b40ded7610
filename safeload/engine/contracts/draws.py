"""Parameters of which a distribution never answers, or answers with an array as long as a parameter says.

A search over parameters draws from a frozen distribution when it is fitted anew, and a user may ask for its median or
entropy. All of scipy's were asked for these with numbers from 1e-300 to infinity and nan: most refuse what is out of
their domain. These do not come back from compiled code, take all memory, or end the process (nbinom, nct, irwinhall).
Others are slow, and can be interrupted: that is a new fit's time.
Sources: numpy/random/src/legacy/legacy-distributions.c (``legacy_vonmises``, ``legacy_random_zipf``),
scipy/stats/_continuous_distns.py and _discrete_distns.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["can_be_asked"]

_SUMMED = 1e7  # what adds up as many terms, draws or items
# Of any discrete distribution: beyond it a float is its own successor, and a sum over places has no end.
_PLACES_MAX = 2.0**53
# The least and the greatest size of any shape, but for 0.
_LIMITS: Mapping[str, tuple[float, float]] = {
    "betabinom_gen": (0, 1e6),
    "betanbinom_gen": (1e-3, 1e6),
    "binom_gen": (0, _SUMMED),
    "hypergeom_gen": (0, 1e6),
    "irwinhall_gen": (1, _SUMMED),
    "nbinom_gen": (1e-6, 1e12),
    "nct_gen": (1e-6, float("inf")),
    "nhypergeom_gen": (0, 1e6),
    "studentized_range_gen": (1e-3, 1e3),
    "vonmises_gen": (0, 1e12),
    "zipf_gen": (1 + 1e-6, 1_000),  # nearly 1, draws are too large, and made again; 2**1025 is infinite
    "zipfian_gen": (0, 1e6),
}


def can_be_asked(dist: Any, shapes: Sequence[Any]) -> bool:
    """Whether a distribution of scipy, or of a class derived from it, answers in time with these shapes."""
    limits = _limits(dist)
    return limits is None or all(_is_within(shape, *limits) for shape in shapes)


def _limits(dist: Any) -> tuple[float, float] | None:
    from scipy.stats import rv_discrete

    for kind in type(dist).__mro__:
        if kind.__module__.startswith("scipy.stats.") and kind.__name__ in _LIMITS:
            return _LIMITS[kind.__name__]
    return (0.0, _PLACES_MAX) if isinstance(dist, rv_discrete) else None


def _is_within(shape: Any, least: float, most: float) -> bool:
    import numpy as np

    sizes = np.abs(np.asarray(shape, float))
    return bool((((sizes >= least) & (sizes <= most)) | (sizes == 0)).all())
