"""What the fuzzer of state found, each as the change that it came down to."""

from __future__ import annotations

import functools
import inspect
import io
import os
import pickle
import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas
import pytest
from scipy import sparse
from scipy.interpolate import BSpline
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, SplineTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

import safeload
from safeload.errors import CodecError, LimitError
from testkit.boosters import fitted as fitted_boosters
from testkit.estimators import CLASSES, X, composed, fitted_estimators
from testkit.forging import forged, with_state

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

MANY = 2**31


def twice() -> Any:
    """An array of a tuple of two times itself, and so on. A function, so that pytest does not show it for hours."""
    inner: tuple[Any, ...] = ()
    for _ in range(60):
        inner = (inner, inner)
    array = np.empty(2, dtype=object)
    array[0], array[1] = "a", inner
    return array


# Each neighbour is in order where nan is none; 3 is looked for behind 1.
UNSORTED = np.array([3.0, np.nan, 1.0, np.nan, 1.0], dtype=object)
ALIKE = np.array([n * (2**61 - 1) for n in range(3)], dtype=object)

# Estimator, attribute, what it is set to, and what came of it.
FOUND = (
    ("PolynomialFeatures", "interaction_only", 2, "writes behind the result of a sparse transform"),
    ("PolynomialFeatures", "interaction_only", np.True_, "the same, by another type"),
    ("PolynomialFeatures", "_max_degree", MANY, "combinations without end"),
    ("PolynomialFeatures", "_n_out_full", MANY, "memory"),
    ("PolynomialFeatures", "n_output_features_", -1, "a negative slice"),
    ("AdditiveChi2Sampler", "sample_steps", MANY, "a loop of that length"),
    ("AdditiveChi2Sampler", "n_features_in_", 10**7, "as many names, times three"),
    ("HashingVectorizer", "ngram_range", (-MANY, MANY), "each text read as often"),
    ("SplineTransformer", "n_features_out_", MANY, "memory"),
    ("PolynomialCountSketch", "degree", MANY, "memory"),
    ("PolynomialCountSketch", "n_components", MANY, "memory"),
    ("PolynomialCountSketch", "indexHash_", np.full((2, 4), MANY), "places that are not there"),
    ("StandardScaler", "n_features_in_", MANY, "as many names of features"),
    ("PCA", "_n_features_out", MANY, "as many names of features"),
    ("Birch", "_subcluster_norms", np.ones(1), "reads behind the norms"),
    ("KNeighborsClassifier", "n_neighbors", 0, "writes before its first neighbour"),
    ("ball_tree, hamming", "n_neighbors", False, "the same"),
    ("MultiLabelBinarizer", "classes_", np.array(["a", "b", "a"], dtype=object), "writes in a third of two columns"),
    ("MultiLabelBinarizer", "classes_", twice, "a hash of hours"),
    ("LabelBinarizer", "classes_", UNSORTED, "writes in a sixth of five columns"),
    ("LabelEncoder", "classes_", twice, "a hash of hours"),
    ("OneHotEncoder", "categories_", lambda: [twice(), twice()], "a hash of hours"),
    ("OrdinalEncoder", "categories_", [ALIKE, ALIKE], "numbers that hash alike"),
    ("voting", "voting", "hard", "no harm: the members say places in classes_"),
)


@pytest.fixture(scope="module")
def fitted() -> Mapping[str, bytes]:
    wanted = {name for name, *_ in FOUND}
    return {name: pickle.dumps(model) for name, model, _ in chain(fitted_estimators(), composed()) if name in wanted}


def _changed(written: bytes, name: str, value: Any) -> bytes:
    model = pickle.loads(written)
    vars(model)[name] = value
    return pickle.dumps(model)


@pytest.mark.parametrize(("name", "attribute", "value", "effect"), FOUND, ids=[f"{n}.{a}-{e}" for n, a, _, e in FOUND])
def test_what_the_fuzzer_found_is_refused(
    fitted: Mapping[str, bytes], name: str, attribute: str, value: Any, effect: str
) -> None:
    data = _changed(fitted[name], attribute, value() if inspect.isfunction(value) else value)
    if effect.startswith("no harm"):
        assert len(safeload.load_untrusted(io.BytesIO(data)).predict(X)) == len(X)
    else:
        with pytest.raises((CodecError, LimitError)):
            safeload.load_untrusted(io.BytesIO(data))


@pytest.mark.parametrize("name", sorted({name for name, *_ in FOUND}))
def test_the_same_estimator_unchanged_loads(fitted: Mapping[str, bytes], name: str) -> None:
    assert safeload.load_untrusted(io.BytesIO(fitted[name])) is not None


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 5, (2, 3), (0, 4)])
@pytest.mark.parametrize("switches", [(False, True), (True, False), (True, True)])
def test_polynomials_of_all_kinds_load_and_transform_the_same(degree: Any, switches: tuple[bool, bool]) -> None:
    if degree == 0 and not switches[1]:
        return  # no columns at all, which fit refuses
    one = PolynomialFeatures(degree, interaction_only=switches[0], include_bias=switches[1]).fit(X)
    loaded = safeload.load_untrusted(io.BytesIO(pickle.dumps(one)))
    for data in (X, sparse.csr_matrix(X)):
        assert np.array_equal(_dense(one.transform(data)), _dense(loaded.transform(data)))


def _dense(matrix: Any) -> Any:
    return matrix.toarray() if sparse.issparse(matrix) else matrix


def test_a_tree_is_not_deeper_than_its_nodes(fitted: Mapping[str, bytes]) -> None:
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.tree._tree import Tree

    def deeper(reduction: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*reduction[:2], {**reduction[2], "max_depth": MANY})

    data = forged(DecisionTreeClassifier(max_depth=2).fit(X, CLASSES), Tree, deeper)
    with pytest.raises(CodecError):
        safeload.load_untrusted(io.BytesIO(data))


ONE_AGAINST_REST: Mapping[str, Any] = {
    "pipeline": make_pipeline(StandardScaler(), FunctionTransformer(np.tanh), LogisticRegression()),
    "linear": LinearSVC(),
    "no intercept": SGDClassifier(fit_intercept=False, random_state=0),
    "forest": RandomForestClassifier(2, random_state=0),
    "bayes": GaussianNB(),
    "discriminants": LinearDiscriminantAnalysis(),
    "quadratic discriminants": QuadraticDiscriminantAnalysis(reg_param=0.5),
    "boosted": AdaBoostClassifier(n_estimators=2, random_state=0),
    "bagged": BaggingClassifier(n_estimators=2, random_state=0),
    "histograms": HistGradientBoostingClassifier(max_iter=2),
    "machine": SVC(),
    "neighbours": KNeighborsClassifier(),
    "many": VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"),
    "perceptrons": MLPClassifier((3,), max_iter=3, random_state=0),
    "search": GridSearchCV(RidgeClassifier(), {"alpha": [1.0, 2.0]}, cv=2),
}
LABELS = {"labels": np.column_stack([CLASSES == 0, CLASSES != 1, CLASSES > 5]).astype(int), "two": CLASSES == 0}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", LABELS)
@pytest.mark.parametrize("name", ONE_AGAINST_REST)
def test_one_against_the_rest_of_usual_estimators_predicts_the_same(name: str, target: str) -> None:
    model = OneVsRestClassifier(ONE_AGAINST_REST[name]).fit(X, LABELS[target])
    loaded = safeload.load_untrusted(io.BytesIO(pickle.dumps(model)))
    assert np.array_equal(loaded.predict(X), model.predict(X))


LONG = np.zeros((5_000, 1))
# Where in an estimator of one class, and what is put there.
ROWS: Mapping[str, Any] = {
    "a function of two arrays": ("pipeline", "steps[1][1].func", functools.partial(np.add, np.zeros((5_000, 4)))),
    "with an argument": ("pipeline", "steps[1][1].kw_args", {"where": LONG}),
    "an intercept a row": ("linear", "intercept_", LONG),
    "a coefficient less": ("linear", "coef_", np.zeros(4)),
    "an intercept of two levels": ("linear", "intercept_", [[0.0]] * 5_000),
    "a prior a row": ("bayes", "theta_", np.zeros((2, 5_000, 4))),
    "a layer a row": ("perceptrons", "coefs_", [np.zeros((5_000, 4, 3)), np.zeros((3, 1))]),
    "layers in lists": ("perceptrons", "coefs_", [[[[0.0] * 3] * 4] * 5_000, np.zeros((3, 1))]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ROWS)
def test_one_against_the_rest_holds_nothing_that_answers_more_often_than_it_is_asked(name: str) -> None:
    kind, path, value = ROWS[name]
    model = OneVsRestClassifier(ONE_AGAINST_REST[kind]).fit(X, LABELS["labels"])
    exec(f"one.{path} = value", {"one": model.estimators_[1], "value": value})  # noqa: S102 - a path of the table
    if name == "a coefficient less":
        model.estimators_[1].intercept_ = np.zeros(5_000)
    with pytest.raises(CodecError, match="more than once"):
        safeload.load_untrusted(io.BytesIO(pickle.dumps(model)))


@pytest.mark.filterwarnings("ignore")
def test_an_estimator_of_unknown_answers_is_not_asked_one_against_the_rest() -> None:
    model = OneVsRestClassifier(IsolationForest(n_estimators=2)).fit(X, LABELS["labels"])
    with pytest.raises(CodecError, match="IsolationForest"):
        safeload.load_untrusted(io.BytesIO(pickle.dumps(model)))
    several = OneVsRestClassifier(IsolationForest(n_estimators=2)).fit(X, CLASSES)  # numpy compares the lengths
    assert safeload.load_untrusted(io.BytesIO(pickle.dumps(several))) is not None


@pytest.mark.parametrize("attribute", ["metric_params", "effective_metric_params_"])
@pytest.mark.parametrize("name", ["X_norm_squared", "Y_norm_squared"])
def test_norms_of_the_points_are_not_taken_from_a_file(attribute: str, name: str) -> None:
    model = KNeighborsClassifier(algorithm="brute").fit(X, CLASSES)
    setattr(model, attribute, {name: np.ones(1)})
    with pytest.raises(CodecError):
        safeload.load_untrusted(io.BytesIO(pickle.dumps(model)))


def test_votes_are_counted_only_for_classes_that_there_are() -> None:
    members = [("a", make_pipeline(StandardScaler(), LogisticRegression())), ("b", LogisticRegression())]
    model = VotingClassifier(members, voting="hard").fit(X, CLASSES)
    assert (safeload.load_untrusted(io.BytesIO(pickle.dumps(model))).predict(X) == model.predict(X)).all()
    for member in (model.estimators_[0].steps[-1][1], model.estimators_[1]):
        member.classes_ = member.classes_ * MANY
        with pytest.raises(CodecError):
            safeload.load_untrusted(io.BytesIO(pickle.dumps(model)))
        member.classes_ = np.arange(3)


# --- other libraries ----------------------------------------------------------------------------


def _verified(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data), policy=safeload.Policy.default())


@pytest.mark.parametrize("name", ["loss_function", "objective"])
def test_a_model_is_asked_for_deviations_only_if_it_has_some(name: str) -> None:
    """catboost took the word of the parameters, and read two answers for each row of a model that gives one."""
    models = fitted_boosters("catboost")
    uncertain, plain = models["uncertainty"][0], models["categories"][0]
    assert _verified(pickle.dumps(uncertain)).predict(X).shape == (len(X), 2)
    forgeries = [
        forged(uncertain, type(uncertain), with_state(__model=plain.__getstate__()["__model"])),
        forged(plain, type(plain), with_state(**{name: "RMSEWithUncertainty"})),
        forged(plain, type(plain), with_state(**{name: np.str_("RMSEWithUncertainty")})),
    ]
    for data in forgeries:
        with pytest.raises(CodecError):
            _verified(data)
    not_fitted = type(uncertain)(loss_function="RMSEWithUncertainty")
    assert _verified(pickle.dumps(not_fitted)).get_params() == not_fitted.get_params()


def test_a_classifier_of_xgboost_has_no_more_classes_than_one_can_count() -> None:
    model = fitted_boosters("xgboost")["two classes"][0]
    for number in (MANY, -1, "2", 2.0, None):
        with pytest.raises(CodecError):
            _verified(forged(model, type(model), with_state(n_classes_=number)))


def test_a_model_of_lightgbm_has_as_many_classes_as_its_booster() -> None:
    """What predict was told of classes that are not there took it hours."""
    models = fitted_boosters("lightgbm")
    for name, own in (("class weights", 3), ("quantiles", -1), ("ranker", -1)):
        model, data = models[name]
        assert vars(model)["_n_classes"] == own
        assert len(_verified(pickle.dumps(model)).predict(data)) == len(data)
        for edit in ({"_n_classes": 40_000}, {"_other_params": {"num_class": 40_000}}, {"num_classes": MANY}):
            with pytest.raises(CodecError):
                _verified(forged(model, type(model), with_state(**edit)))


@pytest.mark.parametrize("degree", [6, 10])
def test_no_spline_is_of_a_higher_degree_than_fortran_has_room_for(degree: int) -> None:
    """``integrate`` ended the process, and of a spline that no file ever held."""
    knots = np.arange(30.0)
    for numbers in (np.ones(29 - degree), np.ones(29 - degree) * 1j):
        with pytest.raises(CodecError, match=f"of degree {degree}: beyond 5"):
            safeload.load_untrusted(io.BytesIO(pickle.dumps(BSpline(knots, numbers, degree, extrapolate=False))))
    with pytest.raises(CodecError, match=r"of degree 21: beyond 20"):
        safeload.load_untrusted(io.BytesIO(pickle.dumps(BSpline(np.arange(44.0), np.ones((22, 2)), 21))))
    steep = BSpline(knots, np.ones(24), 5, extrapolate=False)
    loaded = safeload.load_untrusted(io.BytesIO(pickle.dumps(steep)))
    assert loaded.integrate(0, 20) == steep.integrate(0, 20)


INTEGRALS = """
import io, pickle, sys
import numpy as np
from scipy.interpolate import BSpline, interp1d
import safeload
load = lambda value: safeload.load_untrusted(io.BytesIO(pickle.dumps(value)))
for degree in range(6, 21):
    made = BSpline(np.arange(44.0), np.ones((43 - degree, 2)), degree)
    loaded = load(made)
    for switch in (True, False, "periodic"):
        assert np.array_equal(loaded.integrate(21, 25, switch), made.integrate(21, 25, switch))
    assert np.array_equal(loaded.derivative(2)(np.arange(22.0)), made.derivative(2)(np.arange(22.0)))
for degree in (7, 9):
    line = interp1d(np.arange(30.0), np.sin(np.arange(30.0)), degree)
    assert np.array_equal(load(line)(np.arange(0, 29, 0.5)), line(np.arange(0, 29, 0.5)))
"""


def test_splines_of_several_columns_may_be_of_a_higher_degree() -> None:
    """In a process whose allocator looks for what was written behind the end of a block."""
    subprocess.run(
        [sys.executable, "-c", INTEGRALS], env={**os.environ, "MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "85"}, check=True
    )


@pytest.mark.parametrize("degree", [0, 6, 9, 15])
def test_spline_transformers_of_all_degrees_transform_the_same(degree: int) -> None:
    for switch in ("constant", "linear", "continue", "periodic", "error"):
        knots = max(5, degree + 2)
        made = SplineTransformer(n_knots=knots, degree=degree or int(switch == "periodic"), extrapolation=switch).fit(X)
        loaded = safeload.load_untrusted(io.BytesIO(pickle.dumps(made)))
        assert np.array_equal(loaded.transform(X), made.transform(X))


def _wide() -> Any:
    """One row, of which iterating makes fifty."""
    return pandas.DataFrame(np.zeros((1, 50)))


def _ensemble() -> Any:
    model = AdaBoostClassifier(n_estimators=2).fit(X, CLASSES)
    model.estimators_ = _wide()
    return model


@pytest.mark.parametrize("inner", [_wide, _ensemble])
def test_nothing_in_a_series_yields_more_items_than_it_says(inner: Any) -> None:
    """``Series.explode`` made room for one, and wrote fifty."""
    values = np.empty(2, object)
    values[0] = inner()
    made: list[Any] = [pandas.Series(values), pandas.DataFrame({"a": values}), pandas.Index(values, dtype=object)]
    for value in made:
        with pytest.raises(CodecError):
            safeload.load_untrusted(io.BytesIO(pickle.dumps(value)))


def test_what_yields_as_much_as_it_says_stays_in_a_series() -> None:
    values = np.empty(4, object)
    values[:3] = [pandas.DataFrame(np.zeros(shape)) for shape in ((2, 2), (3, 1), (0, 9))]
    values[3] = AdaBoostClassifier(n_estimators=2).fit(X, CLASSES)
    loaded = safeload.load_untrusted(io.BytesIO(pickle.dumps(pandas.Series(values))))
    assert len(loaded.explode()) == 2 + 3 + 1 + 2
