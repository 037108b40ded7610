"""An estimator's `get_params()` as JSON, for people who read the manifest."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["hyperparameters_of"]

_DEPTH_MAX = 6
_ITEMS_MAX = 200
_TEXT_MAX = 500


def hyperparameters_of(value: Any) -> dict[str, Any] | None:
    """JSON of ``value.get_params()``, or None for what has no such method. What JSON lacks is shown by `repr`."""
    get_params = getattr(value, "get_params", None)
    if not callable(get_params) or isinstance(value, type):
        return None
    try:
        params = get_params()
    except Exception:  # a class that does not follow scikit-learn's rules can be saved all the same
        return None
    if not isinstance(params, dict):
        return None
    return {str(name): _json(param, 0) for name, param in sorted(params.items(), key=lambda item: str(item[0]))}


def _json(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value if not isinstance(value, str) else _clean(value)
    if type(value) is int and abs(value) < 1 << 63:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if depth < _DEPTH_MAX and isinstance(value, (list, tuple)) and len(value) <= _ITEMS_MAX:
        return [_json(item, depth + 1) for item in value]
    if depth < _DEPTH_MAX and isinstance(value, dict) and len(value) <= _ITEMS_MAX:
        return {_clean(str(key)): _json(item, depth + 1) for key, item in value.items()}
    return _clean(repr(value))


def _clean(text: str) -> str:
    # JSON in UTF-8 has no place for half of a surrogate pair.
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return whole if len(whole) <= _TEXT_MAX else whole[:_TEXT_MAX] + "..."
