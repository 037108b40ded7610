"""What docs/native-classes.md and docs/threat-model.md say of objects in Python: left out, or harmless to name."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import interpolate, stats
from sklearn.preprocessing import FunctionTransformer

import safeload
from safeload.errors import SafeloadError

if TYPE_CHECKING:
    from collections.abc import Callable

X = np.linspace(0, 1, 12)
POINTS = np.random.default_rng(0).random((12, 2))


def _array_of_itself() -> Any:
    array = np.empty(1, object)
    array[0] = array
    return array


def _list_of_itself() -> Any:
    own: list[Any] = []
    own.append(own)
    return own


def _dict_of_itself() -> Any:
    own: dict[str, Any] = {}
    own["a"] = own
    return own


def _tuple_of_itself() -> Any:
    own: tuple[list[Any]] = ([],)
    own[0].append(own)
    return own


def _estimator_of_itself() -> Any:
    own = FunctionTransformer()
    own.kw_args = {"a": own}
    return own


LEFT_OUT: dict[str, Callable[[], Any]] = {
    "UnivariateSpline": lambda: interpolate.UnivariateSpline(X, X),
    "RectBivariateSpline": lambda: interpolate.RectBivariateSpline(X, X, np.outer(X, X)),
    "RBFInterpolator": lambda: interpolate.RBFInterpolator(POINTS, X),
    "RegularGridInterpolator": lambda: interpolate.RegularGridInterpolator((X,), X, method="cubic"),
    "LinearNDInterpolator": lambda: interpolate.LinearNDInterpolator(POINTS, X),
    "CloughTocher2DInterpolator": lambda: interpolate.CloughTocher2DInterpolator(POINTS, X),
    "KroghInterpolator": lambda: interpolate.KroghInterpolator(X[:5], X[:5]),
    "BarycentricInterpolator": lambda: interpolate.BarycentricInterpolator(X[:5], X[:5]),
    "gaussian_kde": lambda: stats.gaussian_kde(X),
    "multivariate_normal": lambda: stats.multivariate_normal([0, 0]),
    "rv_histogram": lambda: stats.rv_histogram(np.histogram(X)),
    "mvoid": lambda: np.ma.array([(1, 2)], dtype="i4,i4", mask=np.array([(0, 1)], "?,?"))[0],
    "chararray": lambda: np.char.array(["a"]),
    "poly1d": lambda: np.poly1d([1, 2]),
    "an array of itself": _array_of_itself,
}
OF_ITSELF = [_list_of_itself, _dict_of_itself, _tuple_of_itself, _estimator_of_itself]
BUILTINS = ["bool", "complex", "dict", "float", "frozenset", "int", "list", "object", "set", "str", "tuple"]


def loaded(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_is_refused(name: str) -> None:
    with pytest.raises(SafeloadError):
        loaded(pickle.dumps(LEFT_OUT[name]()))


@pytest.mark.parametrize("make", OF_ITSELF)
def test_what_holds_itself_loads(make: Callable[[], Any]) -> None:
    assert type(loaded(pickle.dumps(make()))) is type(make())


@pytest.mark.parametrize("name", [*BUILTINS, "Ellipsis", "NotImplemented"])
def test_plain_types_and_constants_may_be_named(name: str) -> None:
    assert loaded(f"\x80\x02cbuiltins\n{name}\n.".encode("latin1")) is getattr(__import__("builtins"), name)


@pytest.mark.parametrize("name", ["bytes", "bytearray", "getattr", "type", "eval", "map"])
def test_others_may_not(name: str) -> None:
    with pytest.raises(SafeloadError):
        loaded(f"\x80\x02cbuiltins\n{name}\n.".encode("latin1"))
