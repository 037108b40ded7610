"""Honest models and frames that were refused once, or came back otherwise: whatever somebody does choose."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas
import pytest
import scipy.optimize
import scipy.special
import sklearn
from scipy.spatial import distance
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import DBSCAN, Birch
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import NMF, FactorAnalysis, FastICA, LatentDirichletAllocation
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, LogisticRegressionCV, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler
from sklearn.semi_supervised import LabelPropagation
from sklearn.svm import SVC

import safeload
from safeload.errors import SafeloadError
from testkit.forging import forged, with_state

if TYPE_CHECKING:
    from collections.abc import Callable

pd: Any = pandas
RNG = np.random.default_rng(0)
X = RNG.random((200, 3))
Y, REAL = (X[:, 0] > 0.5).astype(int), X[:, 0] * 0.9 + 0.05
TABLE = pd.DataFrame(X, columns=list("abc"))
TEXTS = ["a b c", "b c d", "c d e"] * 5


def _routed() -> Any:
    with sklearn.config_context(enable_metadata_routing=True):
        voters = [(f"m{n}", LogisticRegression().set_fit_request(sample_weight=True)) for n in range(6)]
        return VotingClassifier(voters).fit(X, Y, sample_weight=np.ones(200))


def _stopping(kind: Any, scoring: str, target: Any) -> Any:
    return kind(max_iter=20, early_stopping=True, scoring=scoring, random_state=0).fit(X, target)


MODELS: dict[str, tuple[Callable[[], Any], Any]] = {
    "a ufunc of scipy": (lambda: FunctionTransformer(scipy.special.expit).fit(X), X),
    "softmax": (lambda: FunctionTransformer(scipy.special.softmax, kw_args={"axis": 1}).fit(X), X),
    "sorted rows": (lambda: FunctionTransformer(np.sort).fit(X), X),
    "a target by logit": (
        lambda: TransformedTargetRegressor(
            Ridge(), func=scipy.special.logit, inverse_func=scipy.special.expit
        ).fit(X, REAL), X,
    ),
    "stopped by a score": (lambda: _stopping(HistGradientBoostingClassifier, "roc_auc", Y), X),
    "stopped by an error": (lambda: _stopping(HistGradientBoostingRegressor, "neg_mean_absolute_error", REAL), X),
    "several that were stopped": (
        lambda: BaggingClassifier(
            HistGradientBoostingClassifier(max_iter=12, early_stopping=True, scoring="accuracy", random_state=0),
            n_estimators=4, random_state=0,
        ).fit(X, Y), X,
    ),
    "routed": (_routed, X),
    "many clusters": (lambda: Birch(threshold=0.01).fit(RNG.random((3_000, 3))), X),
    "few in a node": (lambda: Birch(threshold=0.05, branching_factor=3).fit(X), X),
    "a slice of names": (lambda: ColumnTransformer([("a", StandardScaler(), slice("a", "c"))]).fit(TABLE), TABLE),
    "sparse coefficients": (lambda: LogisticRegression().fit(X, Y).sparsify(), X),
    "sparse coefficients, found by a search": (lambda: LogisticRegressionCV(cv=2).fit(X, Y).sparsify(), X),
    "texts taken apart": (
        lambda: CountVectorizer(tokenizer=str.split, token_pattern=None, preprocessor=str.lower).fit(TEXTS), TEXTS,
    ),
    "words": (lambda: TfidfVectorizer(analyzer=str.split).fit(TEXTS), TEXTS),
    "a kernel by numpy's text": (lambda: SVC(kernel=np.str_("rbf")).fit(X, Y), X),
    "a kernel of a search": (
        lambda: GridSearchCV(SVC(), {"kernel": np.array(["rbf", "linear"])}, cv=2).fit(X, Y), X,
    ),
    "neighbours by numpy's text": (lambda: KNeighborsClassifier(algorithm=np.str_("kd_tree")).fit(X, Y), X),
    "neighbours by a distance": (lambda: KNeighborsClassifier(metric=distance.cosine, algorithm="brute").fit(X, Y), X),
    "products by numpy's switch": (lambda: PolynomialFeatures(interaction_only=np.bool_(True)).fit(X), X),
}  # fmt: skip


STARTS: dict[str, Any] = {
    "bayes": GaussianNB(), "counts": MultinomialNB(), "neighbours": KNeighborsClassifier(),
    "vectors": SVC(probability=True),
    "discriminants": LinearDiscriminantAnalysis(), "quadratic": QuadraticDiscriminantAnalysis(),
    "layers": MLPClassifier((4,), max_iter=20), "calibrated": CalibratedClassifierCV(cv=2),
    "votes": VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())], voting="soft"),
    "centroids": NearestCentroid(), "propagation": LabelPropagation(gamma=1.0),
    "processes": GaussianProcessClassifier(optimizer=None),
    "weights": AdaBoostClassifier(n_estimators=3), "a pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", STARTS)
def test_boosting_of_several_classes_may_start_from_any_classifier_whose_width_is_known(name: str) -> None:
    classes = (X[:, 0] * 3).astype(int)
    model = GradientBoostingClassifier(n_estimators=3, init=STARTS[name]).fit(X, classes)
    for stream in _streams(model):
        assert np.array_equal(_load(stream).predict_proba(X), model.predict_proba(X))
    inner = model.init_.steps[-1][1] if name == "a pipeline" else model.init_
    if name not in ("votes", "calibrated"):
        inner.classes_ = inner.classes_[:2]
        with pytest.raises(SafeloadError):
            _load(pickle.dumps(model))


RESTS: dict[str, Any] = {
    "isotonic": CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=2),
    "parts": make_pipeline(NMF(2, init="random", random_state=0, max_iter=20), LogisticRegression()),
    "topics": make_pipeline(LatentDirichletAllocation(2, max_iter=2), LogisticRegression()),
    "factors": make_pipeline(FactorAnalysis(2), LogisticRegression()),
    "sources": make_pipeline(FastICA(2, max_iter=50), LogisticRegression()),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RESTS)
def test_one_against_the_rest_of_labels_takes_what_answers_once_for_each_row(name: str) -> None:
    labels = (X > 0.5).astype(int)
    model = OneVsRestClassifier(RESTS[name]).fit(X, labels)
    for stream in _streams(model):
        assert np.array_equal(_load(stream).predict(X), model.predict(X))


def _streams(value: Any) -> list[bytes]:
    buffer = io.BytesIO()
    joblib.dump(value, buffer)
    return [pickle.dumps(value, 0), pickle.dumps(value, 2), pickle.dumps(value, 5), buffer.getvalue()]


def _load(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data))


def _answer(model: Any, data: Any) -> Any:
    with sklearn.config_context(enable_metadata_routing=isinstance(model, VotingClassifier)):
        found = (model.predict if hasattr(model, "predict") else model.transform)(data)
    return found.toarray() if hasattr(found, "toarray") else np.asarray(found)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_somebody_may_well_have_loads_and_answers_the_same(name: str) -> None:
    make, data = MODELS[name]
    model = make()
    for stream in _streams(model):
        loaded = _load(stream)
        assert np.array_equal(_answer(loaded, data), _answer(model, data))
        assert np.array_equal(_answer(_load(pickle.dumps(loaded)), data), _answer(model, data))  # saved again


def test_truth_values_that_a_table_lacks_come_back() -> None:
    """pandas' reader leaves a byte under the mask that is neither 0 nor 1."""
    made = pd.read_csv(io.StringIO("c\nTrue\n\nFalse\n"), dtype_backend="numpy_nullable")
    for frame in (made, made.sort_values("c"), pd.concat([made, made])):
        for stream in _streams(frame):
            loaded = _load(stream)
            pandas.testing.assert_frame_equal(loaded, frame)
            assert int(loaded["c"].array._data.view("u1").max()) <= 1


def test_results_of_an_optimiser_come_back() -> None:
    result = scipy.optimize.minimize(np.cos, 1.0)
    for stream in _streams({key: value for key, value in result.items() if key != "hess_inv"}), _streams(result):
        for data in stream:
            assert _load(data)["x"] == result.x


@pytest.mark.parametrize("name", ["positive_likelihood_ratio", "neg_negative_likelihood_ratio", "roc_auc", "f1_macro"])
def test_scorers_come_back_by_every_name(name: str) -> None:
    for stream in _streams(get_scorer(name)):
        assert repr(_load(stream)) == repr(get_scorer(name))


def test_clusters_by_a_distance_come_back() -> None:
    model = DBSCAN(metric=distance.cityblock, algorithm="brute").fit(X[:50])
    for stream in _streams(model):
        assert np.array_equal(_load(stream).labels_, model.labels_)


@pytest.mark.parametrize("name", ["format", "format_map", "__class__", "encode", "join", "translate", "maketrans"])
def test_no_other_method_of_texts_is_given(name: str) -> None:
    data = b"\x80\x04cbuiltins\ngetattr\n\x8c\x00".replace(b"\x8c\x00", b"cbuiltins\nstr\n")
    with pytest.raises(SafeloadError):
        _load(data + b"\x8c" + bytes([len(name)]) + name.encode() + b"\x86R.")


def test_only_what_was_stopped_keeps_a_method_of_itself() -> None:
    model = _stopping(HistGradientBoostingClassifier, "roc_auc", Y)
    loaded = _load(pickle.dumps(model))
    assert "_raw_predict" not in vars(loaded)
    with pytest.raises(SafeloadError):
        _load(forged(model, type(model), with_state(predict=model._raw_predict)))
    other = LogisticRegression().fit(X, Y)
    with pytest.raises(SafeloadError):
        _load(forged(other, LogisticRegression, with_state(extra=model.predict)))


@pytest.mark.filterwarnings("ignore")
def test_boosting_may_start_from_a_target_that_no_function_changes() -> None:
    start = TransformedTargetRegressor(LinearRegression(), transformer=StandardScaler())
    model = GradientBoostingRegressor(n_estimators=3, init=start).fit(X, X[:, 0])
    for stream in _streams(model):
        assert np.array_equal(_load(stream).predict(X), model.predict(X))
    model.init_.func, model.init_.inverse_func = np.exp, np.log
    with pytest.raises(SafeloadError):
        _load(pickle.dumps(model))


@pytest.mark.filterwarnings("ignore")
def test_processes_of_fewer_classes_are_not_where_boosting_starts() -> None:
    classes = (X[:, 0] * 3).astype(int)
    model = GradientBoostingClassifier(n_estimators=2, init=GaussianProcessClassifier(optimizer=None)).fit(X, classes)
    rest = model.init_.base_estimator_
    rest.estimators_ = rest.estimators_[:2]
    with pytest.raises(SafeloadError):
        _load(pickle.dumps(model))
