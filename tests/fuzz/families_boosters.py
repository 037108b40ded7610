"""Models of xgboost, lightgbm and catboost, as far as these are installed: wrappers, raw boosters, pipelines of them.

Only the policy for verified files holds them. The bytes of a model itself are left as they are: C++ parses them, and
promises nothing of others. All around them is changed, and they take each other's place.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from fuzz.family import Family
from testkit.boosters import LIBRARIES, fitted, predictions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["boosters"]


def boosters(again: Callable[[Any, Any], tuple[Any, Any] | None]) -> Iterator[Family]:
    """All models of the test kit; `again` fits one to other data, if it takes them."""
    if not all(map(importlib.util.find_spec, LIBRARIES)):
        return
    for library in LIBRARIES:
        for name, (model, given) in fitted(library).items():
            data = None if given is None else _rows(given)
            yield Family(f"{library}, {name}", model, data, "boosters", signed=True, answers=_answers)
            other = again(model, data) if data is not None and hasattr(model, "get_params") else None
            if other is not None:
                yield Family(f"{library}, {name}, other", *other, "boosters", signed=True, answers=_answers)


def _rows(data: Any) -> Any:
    """Of the matrix of xgboost, which cannot be pickled, what it was made of."""
    from testkit.estimators import X

    return X if type(data).__name__ == "DMatrix" else data


def _answers(model: Any, data: Any) -> list[Any]:
    if type(model).__module__ == "xgboost.core":
        import xgboost

        data = xgboost.DMatrix(data, feature_names=model.feature_names)
    return predictions(model, data)
