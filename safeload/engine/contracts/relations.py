"""Trees and the ensembles that hold them: a valid tree in the wrong estimator reads beyond the rows of X.

An estimator compares X with its own ``n_features_in_``, and hands it to trees that compare nothing.
Sources: sklearn/tree/_classes.py, sklearn/ensemble/_forest.py, _bagging.py, _iforest.py, _gb.py and
_gradient_boosting.pyx (``predict_stages`` writes a column for each column of ``estimators_``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.answers import ANSWERS
from safeload.engine.contracts.shapes import array, each, holds, indices, key_of, number
from safeload.engine.contracts.trees import tree_class
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]

Key = tuple[str, str]

# What may give the raw predictions of several classes that boosting starts from: their width is known below.
_INIT_MODULES = (
    "sklearn.calibration", "sklearn.discriminant_analysis", "sklearn.dummy", "sklearn.ensemble._bagging",
    "sklearn.ensemble._forest", "sklearn.ensemble._gb", "sklearn.ensemble._hist_gradient_boosting",
    "sklearn.ensemble._weight_boosting", "sklearn.gaussian_process._gpc", "sklearn.linear_model._logistic",
    "sklearn.naive_bayes", "sklearn.neighbors._classification", "sklearn.neighbors._nearest_centroid",
    "sklearn.neural_network._multilayer_perceptron", "sklearn.semi_supervised._label_propagation",
    "sklearn.svm._classes", "sklearn.tree.",
)  # fmt: skip
# Of these, those whose answers have a column for each row of an array; of the others, for each class.
_INIT_ROWS = {
    "BernoulliNB": "feature_log_prob_", "ComplementNB": "feature_log_prob_", "LinearDiscriminantAnalysis": "coef_",
    "MultinomialNB": "feature_log_prob_",
}  # fmt: skip
# With a function of the file in between, there may be fewer predictions than rows.
_WITH_FUNCTIONS = frozenset({"FunctionTransformer", "TransformedTargetRegressor"})


def _tree_of(estimator: Any) -> Any:
    """The Tree in an estimator of any class: survival forests have trees of their own."""
    tree = vars(estimator).get("tree_")
    if type(tree) is not tree_class():
        require(False, key_of(estimator))
    return tree


def _check_tree_estimators(estimators: list[Any]) -> None:
    kind = tree_class()
    for one in estimators:
        state = vars(one)
        if "tree_" in state:
            tree = state["tree_"]
            if not (
                type(tree) is kind
                and tree.n_features == state["n_features_in_"]
                and tree.n_outputs == state["n_outputs_"]
                and _same_classes(tree, state.get("n_classes_", 1))
            ):
                require(False, key_of(one))


def _same_classes(tree: Any, stated: Any) -> bool:
    if tree.n_outputs == 1 or type(stated) is int:
        return bool(tree.max_n_classes == stated)  # a regressor has one class an output
    return bool(tree.n_classes.tolist() == list(stated))


def _check_forests(forests: list[Any]) -> None:
    for forest in forests:
        state = vars(forest)
        if "estimators_" in state:
            require(type(state["estimators_"]) is list, key_of(forest))
            trees = {(tree.n_features, tree.n_outputs) for tree in map(_tree_of, state["estimators_"])}
            require(trees <= {(state["n_features_in_"], state["n_outputs_"])}, key_of(forest))


def _check_forest_classes(forests: list[Any]) -> None:
    """``predict_proba`` allocates what ``n_classes_`` says."""
    for forest in forests:
        state = vars(forest)
        for one in state.get("estimators_", ()):
            if not _same_numbers(state["n_classes_"], vars(one)["n_classes_"]):
                require(False, key_of(forest))


def _same_numbers(one: Any, other: Any) -> bool:
    return bool(one == other) if type(one) is int else list(one) == list(other)


def _bagged(state: dict[str, Any]) -> bool:
    """Each estimator sees the columns that ``estimators_features_`` names."""
    if "estimators_" not in state:
        return True
    columns, width = state["estimators_features_"], state["n_features_in_"]
    return len(columns) == len(state["estimators_"]) and all(
        indices(seen, width) and vars(one).get("n_features_in_", len(seen)) == len(seen)
        for seen, one in zip(columns, state["estimators_"], strict=True)
    )


def _isolating(state: dict[str, Any]) -> bool:
    """All columns, in the order of X, if ``_max_features`` says so; else those that the trees were grown on."""
    if "estimators_" not in state:
        return True
    width = state["n_features_in_"]
    whole = state["_max_features"] == width
    return all(
        _tree_of(one).n_features == (width if whole else len(seen))
        for seen, one in zip(state["estimators_features_"], state["estimators_"], strict=True)
    )


def _check_boosting(models: list[Any]) -> None:
    for model in models:
        state = vars(model)
        if "estimators_" in state:
            require(array(state["estimators_"], (None, None), "O"), key_of(model))
            rows, width = state["estimators_"].shape
            trees = {_shape(_tree_of(one)) for one in state["estimators_"].ravel()}
            require(rows > 0 and trees == {(state["n_features_in_"], 1, 1)}, key_of(model))
            require(width == state.get("n_trees_per_iteration_", width), key_of(model))
            require(not holds(state.get("init_"), _may_drop_rows), key_of(model))
            require(width == 1 or _starts_with(state.get("init_"), width, state), key_of(model))


def _may_drop_rows(part: Any) -> bool:
    return type(part).__name__ in _WITH_FUNCTIONS and any(
        vars(part).get(name) is not None for name in ("func", "inverse_func")
    )


def _shape(tree: Any) -> tuple[int, int, int]:
    return tree.n_features, tree.n_outputs, tree.max_n_classes


def _starts_with(init: Any, width: int, state: dict[str, Any]) -> bool:
    """Whether the raw predictions have `width` columns: ``predict_stages`` adds to them without looking."""
    if len(state["classes_"]) != width:
        return False
    if type(init) is str:
        return init == "zero" and "n_trees_per_iteration_" in state
    return _answers_widely(init, width)


def _answers_widely(init: Any, width: int) -> bool:
    """Whether ``predict_proba`` of an estimator of scikit-learn has `width` columns."""
    module, name = key_of(init)
    inner = vars(init)
    if module == "sklearn.pipeline" and name == "Pipeline" and inner["steps"]:
        return _answers_widely(inner["steps"][-1][1], width)
    if module == "sklearn.ensemble._voting":
        return bool(inner["estimators_"]) and all(_answers_widely(one, width) for one in inner["estimators_"])
    if not module.startswith(_INIT_MODULES) or not array(inner["classes_"], (width,)):
        return False
    if name in _INIT_ROWS:
        return array(inner[_INIT_ROWS[name]], (width, None))
    if name == "GaussianProcessClassifier":
        return _process_of(inner["base_estimator_"], width)
    if name in ("LabelPropagation", "LabelSpreading"):
        return ANSWERS[name](inner) and array(inner["label_distributions_"], (None, width))
    if name == "MLPClassifier":
        return inner["n_outputs_"] == width and array(inner["coefs_"][-1], (None, width))
    return bool(inner.get("n_classes_", width) == width)


def _process_of(rest: Any, width: int) -> bool:
    """A Gaussian process of several classes: one of two classes for each."""
    each_of = vars(rest).get("estimators_", ())
    binary = "_BinaryGaussianProcessClassifierLaplace"
    return (
        key_of(rest) == ("sklearn.multiclass", "OneVsRestClassifier")
        and len(each_of) == width
        and all(key_of(one)[1] == binary and ANSWERS[binary](vars(one)) for one in each_of)
    )


def _dummy(state: dict[str, Any]) -> bool:
    """The start of boosting: as many shares as classes, for every output."""
    if not {"class_prior_", "classes_", "n_outputs_"} <= state.keys():
        return True
    names = ("classes_", "class_prior_", "n_classes_")
    many = [state[name] if state["n_outputs_"] > 1 else [state[name]] for name in names]
    return all(len(part) == state["n_outputs_"] for part in many) and all(
        array(classes, (None,)) and len(classes) == len(prior) == count
        for classes, prior, count in zip(*many, strict=True)
    )


def _constant(state: dict[str, Any]) -> bool:
    """``predict`` repeats it for every row, over as many columns as outputs are said to be."""
    return "constant_" not in state or array(state["constant_"], (1, state["n_outputs_"]))


def _logistic(state: dict[str, Any]) -> bool:
    """A row of coefficients for each class, one for two classes."""
    from scipy.sparse import issparse

    if "coef_" not in state or "classes_" not in state:
        return True
    rows = len(state["classes_"])
    wanted, coefficients = 1 if rows == 2 else rows, state["coef_"]
    if issparse(coefficients):  # of sparsify()
        return bool(coefficients.ndim == 2 and coefficients.shape[0] == wanted)
    return array(coefficients, (wanted, None))


def _check_classes(estimators: list[Any]) -> None:
    """``n_classes_`` counts ``classes_``: arrays of its size are made for every row that is predicted."""
    for one in estimators:
        state = vars(one)
        count, classes = state.get("n_classes_"), state.get("classes_")
        # A tree's is compared with the tree: it is the forests that have many.
        if "tree_" not in state and number(count) and array(classes, (None,)) and len(classes) != count:
            require(False, key_of(one))


CHECKERS: Mapping[Key, Checker] = {
    ("sklearn.base", "ClassifierMixin"): _check_classes,
    ("sklearn.dummy", "DummyClassifier"): each(_dummy),
    ("sklearn.dummy", "DummyRegressor"): each(_constant),
    ("sklearn.ensemble._bagging", "BaseBagging"): each(_bagged),
    ("sklearn.ensemble._forest", "BaseForest"): _check_forests,
    ("sklearn.ensemble._forest", "ForestClassifier"): _check_forest_classes,
    ("sklearn.ensemble._gb", "BaseGradientBoosting"): _check_boosting,
    ("sklearn.ensemble._iforest", "IsolationForest"): each(_isolating),
    ("sklearn.linear_model._logistic", "LogisticRegression"): each(_logistic),
    ("sklearn.tree._classes", "BaseDecisionTree"): _check_tree_estimators,
}
