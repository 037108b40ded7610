"""A fitted model of scikit-learn as PMML, which nyoka writes: of estimators whose answers are known to be the same."""

from __future__ import annotations

import io
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeload.codecs.base import missing
from safeload.codecs.pmml_numbers import put_numbers
from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["exported"]

_TARGET = "target"
_OTHERWISE = "another program may know it: pack takes a PMML file as it is"


def _plain_forest(model: Any) -> bool:
    return getattr(model, "n_outputs_", 1) == 1


def _plain_boosting(model: Any) -> bool:
    return model.init is None and model.loss != "exponential"


def _plain_linear(model: Any) -> bool:
    return bool(model.fit_intercept) and (hasattr(model, "classes_") or model.coef_.ndim == 1)


# What was compared, and with which parameters.
_SCALERS: Mapping[str, Callable[[Any], bool]] = {
    "sklearn.preprocessing._data.MinMaxScaler": lambda scaler: not scaler.clip,
    "sklearn.preprocessing._data.StandardScaler": lambda scaler: scaler.with_mean and scaler.with_std,
}
_MODELS: Mapping[str, Callable[[Any], bool]] = {
    "sklearn.ensemble._forest.RandomForestClassifier": _plain_forest,
    "sklearn.ensemble._forest.RandomForestRegressor": _plain_forest,
    "sklearn.ensemble._gb.GradientBoostingClassifier": _plain_boosting,
    "sklearn.ensemble._gb.GradientBoostingRegressor": _plain_boosting,
    "sklearn.linear_model._base.LinearRegression": _plain_linear,
    "sklearn.linear_model._logistic.LogisticRegression": _plain_linear,
    "sklearn.tree._classes.DecisionTreeClassifier": _plain_forest,
    "sklearn.tree._classes.DecisionTreeRegressor": _plain_forest,
}


def exported(value: Any) -> bytes:
    """The document. Raises CodecError for what is no such model, MissingExtraError."""
    from sklearn.exceptions import NotFittedError
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import check_is_fitted

    steps = list(value.steps) if type(value) is Pipeline else [("model", value)]
    _check_steps([step for _, step in steps])
    try:
        check_is_fitted(value)
    except NotFittedError as error:
        raise CodecError(f"this {type(value).__name__} is not fitted") from error
    _check_values(steps)
    names = _names_of(value)
    document = _written(Pipeline(steps), names)
    _check_words(document.getroot(), names, [str(label) for label in getattr(steps[-1][1], "classes_", ())])
    try:
        put_numbers(document, [step for _, step in steps])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        told = f"nyoka has written this model otherwise than is known here: {printable(str(error), 100)}"
        raise CodecError(told, hint=_OTHERWISE) from error
    file = io.BytesIO()
    document.write(file, encoding="utf-8", xml_declaration=True)
    return file.getvalue()


def _check_steps(steps: list[Any]) -> None:
    """One scaler, or none; then the model."""
    for number, step in enumerate(steps):
        kind = f"{type(step).__module__}.{type(step).__qualname__}"
        known = _MODELS if number == len(steps) - 1 else _SCALERS
        if kind not in known or len(steps) > 2:
            raise CodecError(
                f"codec='pmml' takes {', '.join(sorted(name.rpartition('.')[2] for name in _MODELS))}, alone or in a"
                f" Pipeline behind a StandardScaler or a MinMaxScaler; this has a {type(step).__name__}",
                hint=_OTHERWISE,
            )


def _check_values(steps: list[tuple[str, Any]]) -> None:
    for (_, step), known in zip(reversed(steps), (_MODELS, _SCALERS), strict=False):
        if not known[f"{type(step).__module__}.{type(step).__qualname__}"](step):
            raise CodecError(f"this {type(step).__name__} has parameters that PMML does not get right", hint=_OTHERWISE)
    labels = getattr(steps[-1][1], "classes_", ())
    if not all(type(one) in (int, str) and one != "" for one in getattr(labels, "tolist", list)()):
        raise CodecError("PMML names classes: whole numbers or texts", hint="fit with y.astype(int) or y.astype(str)")


def _names_of(value: Any) -> list[str]:
    """Those of the frame that the model was fitted on, or as scikit-learn calls columns that have none."""
    names = getattr(value, "feature_names_in_", None)
    given = [f"x{number}" for number in range(value.n_features_in_)] if names is None else list(map(str, names))
    if len({*given, _TARGET}) != len(given) + 1 or not all(given):
        raise CodecError(f"the columns need names of their own; {_TARGET!r} is what the model predicts")
    return given


def _check_words(root: Any, names: list[str], labels: list[str]) -> None:
    """XML makes a blank of a new line, and a name that is there twice means one or the other."""
    fields = [field.get("name") for field in root.iter("DataField")]
    made = [one.get("name") for kind in ("DerivedField", "OutputField") for one in root.iter(kind)]
    if fields != [*names, _TARGET] or len({*fields, *made}) != len(fields) + len(made):
        raise CodecError("these names of columns cannot be told apart in PMML", hint="rename them before fitting")
    if [value.get("value") for value in root.iter("Value")] != labels:
        raise CodecError("these names of classes are not the same in PMML", hint="rename them before fitting")


def _written(pipeline: Any, names: list[str]) -> Any:
    """What nyoka writes."""
    try:
        import nyoka
        from defusedxml.ElementTree import parse
    except ImportError as error:
        raise missing("a model for PMML, which nyoka writes", "pmml") from error
    with tempfile.TemporaryDirectory(prefix="safeload-") as folder:
        path = Path(folder) / "model.pmml"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)  # it leaves closing its file to Python
                nyoka.skl_to_pmml(pipeline, names, _TARGET, str(path))
            document: Any = parse(path, forbid_dtd=True)
        except Exception as error:  # whatever it raises on a model that it has not thought of
            raise CodecError(f"nyoka cannot write this model: {printable(str(error), 300)}") from error
    _be_plain(document.getroot())
    return document


def _be_plain(root: Any) -> None:
    """Without prefixes, the time, or a copyright in somebody's name: the same model gives the same bytes."""
    uri = root.tag.rpartition("}")[0].removeprefix("{")
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    root.set("xmlns", uri)
    header = root.find("Header")
    for timestamp in header.findall("Timestamp"):
        header.remove(timestamp)
    header.attrib.clear()
