"""How many threads a fitted estimator starts, and how often it goes round, where the file alone says so.

joblib starts as many threads or processes as ``n_jobs`` says, at predict too. Few estimators iterate at transform,
until nothing changes or ``max_iter`` times: with a tolerance or components of nan something always changes. What is
done at a new fit is not looked at: that is asked of the estimator with all of its parameters.
Sources: joblib/parallel.py (``Parallel.__init__``), sklearn/decomposition/_nmf.py, _lda.py, _dict_learning.py and
sklearn/gaussian_process/_gpc.py (``_posterior_mode``).
"""

from __future__ import annotations

import numbers
import sys
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.shapes import distinct, key_of
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS", "check_jobs"]

Key = tuple[str, str]
_JOBS_MAX = 1_024
_ROUNDS_MAX = 1_000_000
# Each starts that many.
_JOBS = ("n_jobs", "n_threads")
_METHODS = ("__int__", "__index__", "__trunc__")


def _whole(value: Any) -> int:
    """What ``int`` makes of it, as joblib asks: of numbers and texts. Of what cannot be told, more than anybody has."""
    import numpy as np

    if not isinstance(value, str | bytes | numbers.Number | np.generic | np.ndarray):
        return sys.maxsize if any(hasattr(type(value), name) for name in _METHODS) else 0
    text_or_number: Any = value
    try:
        return int(text_or_number)
    except (TypeError, ValueError, OverflowError):
        return 0


def _check(objects: list[Any], names: tuple[str, ...], most: int, what: str) -> None:
    states = [*map(vars, objects)]
    for name in names:
        stated = [state[name] for state in states if name in state]
        if not any(_whole(value) > most for value in distinct(stated) if value is not None):
            continue
        for one in objects:
            if vars(one).get(name) is not None and _whole(vars(one)[name]) > most:
                raise CodecError(f"{name} of a {'.'.join(key_of(one))} is more than {most:,}: {what}")


def check_jobs(estimators: list[Any]) -> None:
    """Any estimators."""
    # Of the negative ones joblib makes as many as there are processors, or fewer.
    _check(estimators, _JOBS, _JOBS_MAX, "as many are run at once")


def _rounds(*names: str) -> Checker:
    return lambda objects: _check(objects, names, _ROUNDS_MAX, "as many rounds an answer may take")


CHECKERS: Mapping[Key, Checker] = {
    ("sklearn.decomposition._dict_learning", "_BaseSparseCoding"): _rounds("transform_max_iter"),
    ("sklearn.decomposition._lda", "LatentDirichletAllocation"): _rounds("max_doc_update_iter"),
    ("sklearn.decomposition._nmf", "MiniBatchNMF"): _rounds("_transform_max_iter"),
    ("sklearn.decomposition._nmf", "NMF"): _rounds("max_iter"),
    ("sklearn.gaussian_process._gpc", "_BinaryGaussianProcessClassifierLaplace"): _rounds("max_iter_predict"),
}
