"""What is native of a model of xgboost, lightgbm or catboost, what is not, and how the two become one again.

Nothing here changes the object that is saved: its native half is written by the library, and of its wrapper an empty
copy is kept, which shares the attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from safeload.engine.contracts import boosters_catboost, boosters_lightgbm, boosters_xgboost

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CATBOOST", "LIGHTGBM", "XGBOOST", "Library"]

Key = tuple[str, str]
_BOOSTER = "_Booster"  # the attribute of wrappers of xgboost and lightgbm
_WRAPPER = "wrapper"


class Library(NamedTuple):
    """One library. `file` is the member with its own format; `wrappers` are the classes around what is native.

    ``fitted(value)`` says whether a model of one of them can be taken apart. ``native(value)`` are the bytes,
    ``rest(value)`` is what is kept beside them, by `keys`; ``join(taken(view), rest)`` is the model again. Bytes that
    stand alone become an `alone`; with `is_wrapper` it is the wrapper itself that they are given to.
    """

    name: str
    file: str
    alone: Key
    wrappers: frozenset[Key]
    keys: frozenset[str]
    is_wrapper: bool
    fitted: Callable[[Any], bool]
    native: Callable[[Any], bytes | bytearray]
    rest: Callable[[Any], dict[str, Any]]
    taken: Callable[[memoryview], Any]
    join: Callable[[Any, dict[str, Any]], Any]


def _classes(module: str, names: str) -> frozenset[Key]:
    return frozenset((module, name) for name in names.split())


def _booster(value: Any) -> Any:
    """The Booster that `value` is, or has."""
    return value if type(value).__name__ == "Booster" else vars(value).get(_BOOSTER)


def _wrapper(value: Any, booster: Any) -> dict[str, Any]:
    """A copy of a wrapper without its Booster, as one that was not fitted; nothing for a Booster."""
    if value is booster:
        return {}
    kind: Any = type(value)
    bare = kind.__new__(kind)
    bare.__dict__.update({name: part for name, part in vars(value).items() if name != _BOOSTER})
    return {_WRAPPER: bare}


def _around(booster: Any, rest: dict[str, Any]) -> Any:
    wrapper = rest.get(_WRAPPER)
    if wrapper is None:
        return booster
    setattr(wrapper, _BOOSTER, booster)
    return wrapper


def _is_booster(value: Any, key: Key, handle: str) -> bool:
    booster = _booster(value)
    kind = type(booster)
    return (kind.__module__, kind.__qualname__) == key and vars(booster).get(handle) is not None


# xgboost: a model leaves out how it was trained, which pickles keep, and which training goes on with: its parameters
# as xgboost itself writes them stand in the other half.
_XGB = ("xgboost.core", "Booster")


def _xgb_rest(value: Any) -> dict[str, Any]:
    booster = _booster(value)
    return {"config": booster.save_config(), **_wrapper(value, booster)}


def _xgb_join(model: bytearray, rest: dict[str, Any]) -> Any:
    return _around(boosters_xgboost.booster_of(model, rest.get("config")), rest)


XGBOOST = Library(
    name="xgboost",
    file="model.ubj",
    alone=_XGB,
    wrappers=_classes(
        "xgboost.sklearn", "XGBClassifier XGBModel XGBRFClassifier XGBRFRegressor XGBRanker XGBRegressor"
    ),
    keys=frozenset({"config", _WRAPPER}),
    is_wrapper=False,
    # attributes of one's own are no part of a model, and joblib says that they are not loaded
    fitted=lambda value: _is_booster(value, _XGB, "handle") and vars(_booster(value)).keys() == {"handle"},
    native=lambda value: _booster(value).save_raw("ubj"),
    rest=_xgb_rest,
    taken=bytearray,
    join=_xgb_join,
)

# lightgbm: the text leaves out the best iteration and score, and the names that parameters were given by.
_LGB = ("lightgbm.basic", "Booster")


def _lgb_rest(value: Any) -> dict[str, Any]:
    booster = _booster(value)
    rest = {"booster": boosters_lightgbm.kept_of(booster), **_wrapper(value, booster)}
    if _WRAPPER in rest:
        setattr(rest[_WRAPPER], _BOOSTER, None)  # as its constructor leaves it
    return rest


def _lgb_join(text: str, rest: dict[str, Any]) -> Any:
    return _around(boosters_lightgbm.booster_of_text(text, rest.get("booster")), rest)


LIGHTGBM = Library(
    name="lightgbm",
    file="model.txt",
    alone=_LGB,
    wrappers=_classes("lightgbm.sklearn", "LGBMClassifier LGBMModel LGBMRanker LGBMRegressor"),
    keys=frozenset({"booster", _WRAPPER}),
    is_wrapper=False,
    fitted=lambda value: _is_booster(value, _LGB, "_handle") and boosters_lightgbm.kept_of(_booster(value)) is not None,
    native=lambda value: _booster(value).model_to_string(num_iteration=-1).encode(),
    rest=_lgb_rest,
    taken=lambda view: str(view, "utf-8"),
    join=_lgb_join,
)

# catboost: its pickles hold the file itself, beside the parameters and some numbers. What the file loses (the last
# digit of a score, predictions for the evaluation sets) its own pickles lose too.
_CAT = ("catboost.core", "CatBoost")
_SERIALISED = "__model"


def _cat_rest(value: Any) -> dict[str, Any]:
    kind: Any = type(value)
    bare = kind.__new__(kind)
    bare.__setstate__({name: part for name, part in value.__getstate__().items() if name != _SERIALISED})
    return {_WRAPPER: bare}


def _cat_join(model: bytes, rest: dict[str, Any]) -> Any:
    made = rest.get(_WRAPPER)
    if made is None:
        from catboost import CatBoost

        made = CatBoost()
    return boosters_catboost.fill(made, model)


CATBOOST = Library(
    name="catboost",
    file="model.cbm",
    alone=_CAT,
    wrappers=_classes("catboost.core", "CatBoost CatBoostClassifier CatBoostRanker CatBoostRegressor"),
    keys=frozenset({_WRAPPER}),
    is_wrapper=True,
    fitted=lambda value: value.is_fitted(),
    native=lambda value: value._serialize_model(),
    rest=_cat_rest,
    taken=bytes,
    join=_cat_join,
)
