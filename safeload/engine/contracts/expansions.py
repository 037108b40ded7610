"""Transformers that make many columns of few: loops and memory as long as one number of the state says.

Sources: sklearn/preprocessing/_polynomial.py and _csr_polynomial_expansion.pyx (takes
places off ``interaction_only`` times, and then writes as for 0 or 1), sklearn/kernel_approximation.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.iterations import check_jobs
from safeload.engine.contracts.shapes import array, distinct, each, indices, is_switch, key_of, number
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]

Key = tuple[str, str]
_DEGREE_MAX = 200
# Above degree 3 each column is computed by itself, even of a sparse matrix.
_COLUMNS_MAX = 1 << 24
_STEPS_MAX = 10_000
# ``get_feature_names_out`` makes a name for each.
_FEATURES_MAX = 1 << 25
_SKETCH_MAX = 1 << 20


def _check_polynomials(transformers: list[Any]) -> None:
    """As many columns as ``fit`` counted; switches are switches."""
    for one in transformers:
        state = vars(one)
        if "_max_degree" in state:
            require(_degrees(state), key_of(one))
            width, low, high = state["n_features_in_"], state["_min_degree"], state["_max_degree"]
            switches = {name: state[name] for name in ("interaction_only", "include_bias")}
            counted = one._num_combinations(width, low, high, **switches)
            whole = one._num_combinations(width, 0, high, **switches)
            require(state["n_output_features_"] == counted and state["_n_out_full"] == whole, key_of(one))
            require(high <= 3 or whole <= _COLUMNS_MAX, key_of(one))


def _degrees(state: dict[str, Any]) -> bool:
    return (
        is_switch(state["interaction_only"])
        and is_switch(state["include_bias"])
        and all(number(state[name]) for name in ("n_features_in_", "_min_degree", "_max_degree"))
        and state["_max_degree"] <= _DEGREE_MAX
    )


def _sampled(state: dict[str, Any]) -> bool:
    steps, width = state.get("sample_steps", 1), state.get("n_features_in_", 1)
    return number(steps, 1) and steps <= _STEPS_MAX and number(width) and 2 * steps * width <= _FEATURES_MAX


def _splines(state: dict[str, Any]) -> bool:
    """At most as many columns as there are splines, and one for missing values."""
    if "bsplines_" not in state:
        return True
    splines, width = state["bsplines_"], state["n_features_in_"]
    if type(splines) is not list or not splines or len(splines) != width or not number(state["n_features_out_"]):
        return False
    coefficients: Any = getattr(splines[0], "c", None)
    return array(coefficients, (None, None)) and state["n_features_out_"] <= width * (coefficients.shape[1] + 1)


def _sketched(state: dict[str, Any]) -> bool:
    """``degree`` sketches of ``n_components`` places for each row, hashes for all of them."""
    if "indexHash_" not in state:
        return True
    hashes, bits, places = state["indexHash_"], state["bitHash_"], state["n_components"]
    return (
        array(hashes, (state["degree"], None), "i")
        and array(bits, hashes.shape)
        and number(places, 1)
        and places <= _SKETCH_MAX
        and indices(hashes.ravel(), places)
    )


_WIDTHS = ("n_features_in_", "_n_features_out", "n_components_")


def _named(state: dict[str, Any]) -> bool:
    return not any(number(state[name], _FEATURES_MAX + 1) for name in _WIDTHS if name in state)


def _check_estimators(estimators: list[Any]) -> None:
    states = [*map(vars, estimators)]
    stated = [state[name] for name in _WIDTHS for state in states if name in state]
    if any(number(one, _FEATURES_MAX + 1) for one in distinct(stated)):
        each(_named)(estimators)  # says which one
    check_jobs(estimators)


CHECKERS: Mapping[Key, Checker] = {
    ("sklearn.base", "BaseEstimator"): _check_estimators,
    ("sklearn.kernel_approximation", "AdditiveChi2Sampler"): each(_sampled),
    ("sklearn.kernel_approximation", "PolynomialCountSketch"): each(_sketched),
    ("sklearn.preprocessing._polynomial", "PolynomialFeatures"): _check_polynomials,
    ("sklearn.preprocessing._polynomial", "SplineTransformer"): each(_splines),
}
