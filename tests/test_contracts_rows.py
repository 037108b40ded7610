"""One against the rest of two classes, or of labels, makes a sparse result of as many rows as X has."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import Birch, BisectingKMeans, FeatureAgglomeration
from sklearn.cross_decomposition import PLSSVD, PLSRegression
from sklearn.decomposition import DictionaryLearning, IncrementalPCA, KernelPCA, SparsePCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, CompoundKernel, DotProduct, WhiteKernel
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    BayesianRidge,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.manifold import Isomap, LocallyLinearEmbedding
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.neighbors import KNeighborsRegressor, KNeighborsTransformer, NearestCentroid
from sklearn.neural_network import BernoulliRBM, MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.random_projection import GaussianRandomProjection
from sklearn.semi_supervised import LabelPropagation, LabelSpreading
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import Bunch

import safeload
from safeload import Policy
from safeload.errors import CodecError
from testkit.estimators import CLASSES, VALUES, X

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytestmark = pytest.mark.filterwarnings("ignore")

TWO = (CLASSES[0] == CLASSES).astype(int)
SEVERAL = np.arange(len(X)) % 3
LABELS = {"labels": np.column_stack([TWO, SEVERAL != 1, SEVERAL > 5]).astype(int), "two": TWO}
TARGETS = np.column_stack([VALUES] * 7)


def reloaded(model: Any, policy: Policy | None = None) -> Any:
    return safeload.load_untrusted(io.BytesIO(pickle.dumps(model)), policy=policy)


USUAL: Mapping[str, Any] = {
    "constant": DummyClassifier(),
    "kernels": make_pipeline(Nystroem(n_components=5, random_state=0), SGDClassifier(random_state=0)),
    "laplacian": make_pipeline(Nystroem("laplacian", gamma=0.1, n_components=5, random_state=0), LinearSVC()),
    "random kernels": make_pipeline(RBFSampler(random_state=0), RidgeClassifier()),
    "projection": make_pipeline(GaussianRandomProjection(3, random_state=0), LogisticRegression()),
    "imputed": make_pipeline(KNNImputer(), StandardScaler(), LogisticRegression()),
    "simply imputed": make_pipeline(SimpleImputer(), LogisticRegression()),
    "least squares": LinearRegression(),
    "lasso": Lasso(),
    "bayes": BayesianRidge(),
    "neighbours": KNeighborsRegressor(),
    "network": MLPRegressor(hidden_layer_sizes=(3,), max_iter=3, random_state=0),
    "boosted": GradientBoostingClassifier(n_estimators=2),
    "boosted values": GradientBoostingRegressor(n_estimators=2),
    "calibrated": CalibratedClassifierCV(LogisticRegression(), cv=2),
    "one against one": OneVsOneClassifier(LogisticRegression()),
    "voting values": VotingRegressor([("a", LinearRegression()), ("b", DecisionTreeRegressor(max_depth=2))]),
    "bagged machines": BaggingClassifier(SVC(), n_estimators=2, random_state=0),
    "process": GaussianProcessClassifier(1.0 * RBF([1.0] * X.shape[1]) + WhiteKernel(), optimizer=None),
    "process of values": GaussianProcessRegressor(DotProduct() + RBF() ** 2 + WhiteKernel(), alpha=1.0, optimizer=None),
    "propagation": LabelPropagation(gamma=1.0),
    "spreading": LabelSpreading("knn", n_neighbors=3),
    "centroid": NearestCentroid(),
    "kernel ridge": KernelRidge(kernel="laplacian"),
    "partial least squares": PLSRegression(),
    "counts": make_pipeline(MinMaxScaler(), PoissonRegressor()),
    "kernel components": make_pipeline(KernelPCA(2, kernel="rbf"), LogisticRegression()),
    "sparse components": make_pipeline(SparsePCA(2, max_iter=5, random_state=0), LogisticRegression()),
    "components of batches": make_pipeline(IncrementalPCA(2), LogisticRegression()),
    "a dictionary": make_pipeline(DictionaryLearning(2, max_iter=3, random_state=0), LogisticRegression()),
    "clusters": make_pipeline(Birch(n_clusters=2), LogisticRegression()),
    "halved clusters": make_pipeline(BisectingKMeans(2, random_state=0), LogisticRegression()),
    "clusters of columns": make_pipeline(FeatureAgglomeration(2), LogisticRegression()),
    "columns by their most": make_pipeline(FeatureAgglomeration(2, pooling_func=np.max), LogisticRegression()),
    "a map": make_pipeline(Isomap(n_components=2), LogisticRegression()),
    "another map": make_pipeline(LocallyLinearEmbedding(n_components=2, random_state=0), LogisticRegression()),
    "a graph of neighbours": make_pipeline(KNeighborsTransformer(), LogisticRegression()),
    "a machine of Boltzmann's": make_pipeline(BernoulliRBM(2, n_iter=2, random_state=0), LogisticRegression()),
}


@pytest.mark.parametrize("target", LABELS)
@pytest.mark.parametrize("name", USUAL)
def test_usual_estimators_load_and_predict_the_same(name: str, target: str) -> None:
    model = OneVsRestClassifier(USUAL[name]).fit(X, LABELS[target])
    assert np.array_equal(reloaded(model).predict(X), model.predict(X))


def _layers(**changes: Any) -> Any:
    network = MLPClassifier((3, 4), max_iter=3, random_state=0).fit(X, TWO)
    vars(network).update(changes)
    return network


def _with(model: Any, **changes: Any) -> Any:
    vars(model).update(changes)
    return model


def _process(kernel: Any, **changes: Any) -> Any:
    model = GaussianProcessClassifier(optimizer=None).fit(X, TWO)
    _with(model.base_estimator_, kernel_=kernel, **changes)
    return model


def _ahead(transformer: Any) -> Any:
    return make_pipeline(transformer, SGDClassifier().fit(np.ones((4, 5)), [0, 1, 0, 1]))


MANY = np.ones((50, 1))
# Genuine estimators of more than two classes, or several outputs, and others that were made so.
WIDE: Mapping[str, Callable[[], Any]] = {
    "classes": lambda: LogisticRegression().fit(X, SEVERAL),
    "in a pipeline": lambda: make_pipeline(StandardScaler(), LogisticRegression()).fit(X, SEVERAL),
    "frozen": lambda: FrozenEstimator(LogisticRegression().fit(X, SEVERAL)),
    "classes of a machine": lambda: SVC().fit(X, SEVERAL),
    "a machine that says two": lambda: _with(SVC().fit(X, SEVERAL), classes_=np.arange(2)),
    "rows of coefficients": lambda: _with(LogisticRegression().fit(X, TWO), coef_=np.ones((3, 4))),
    "a boosting": lambda: GradientBoostingClassifier(n_estimators=2).fit(X, SEVERAL),
    "a boosting of two": lambda: _with(
        GradientBoostingClassifier(n_estimators=2).fit(X, SEVERAL), classes_=np.arange(2), n_classes_=2
    ),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=2).fit(X, SEVERAL),
    "histograms of two": lambda: _with(
        HistGradientBoostingClassifier(max_iter=2).fit(X, SEVERAL), classes_=np.arange(2)
    ),
    "a boost": lambda: AdaBoostClassifier(n_estimators=2).fit(X, SEVERAL),
    "a count of classes": lambda: _with(AdaBoostClassifier(n_estimators=2).fit(X, TWO), n_classes_=3.0),
    "a layer": lambda: _layers(coefs_=[np.ones((4, 3)), np.ones((3, 4)), np.ones((4, 9))]),
    "a layer less": lambda: _layers(n_layers_=2),
    "others against the rest": lambda: OneVsRestClassifier(LogisticRegression()).fit(X, SEVERAL),
    "bagged": lambda: BaggingClassifier(LogisticRegression(), n_estimators=2).fit(X, SEVERAL),
    "votes of outputs": lambda: _with(
        VotingRegressor([("a", LinearRegression())]).fit(X, VALUES),
        estimators_=[DecisionTreeRegressor(max_depth=2).fit(X, TARGETS)],
    ),
    "a gamma a row": lambda: make_pipeline(
        _with(Nystroem("laplacian", n_components=5).fit(X), gamma=np.ones((50, 1))),
        SGDClassifier().fit(np.ones((4, 5)), [0, 1, 0, 1]),
    ),
    "a weight a row": lambda: _process(DotProduct(sigma_0=np.ones(50))),
    "a weight a row, below": lambda: _process(RBF() + RBF() * DotProduct(sigma_0=np.ones(50))),
    "kernels side by side": lambda: _process(CompoundKernel([RBF(), RBF()])),
    "no kernel": lambda: _process(np.multiply),
    "rows of classes": lambda: _process(RBF(), pi_=np.ones((len(X), 50))),
    "outputs of a process": lambda: GaussianProcessRegressor(optimizer=None).fit(X, TARGETS),
    "targets of a process": lambda: GaussianProcessRegressor(n_targets=9),
    "means of a process": lambda: _with(
        GaussianProcessRegressor(optimizer=None).fit(X, VALUES), _y_train_mean=np.ones((9, 1))
    ),
    "a gamma a row of a ridge": lambda: _with(KernelRidge(kernel="laplacian").fit(X, VALUES), gamma=MANY),
    "outputs of a ridge": lambda: KernelRidge().fit(X, TARGETS),
    "outputs of partial least squares": lambda: PLSRegression().fit(X, TARGETS),
    "a gamma a row of labels": lambda: _with(LabelPropagation(gamma=1.0).fit(X, TWO), gamma=MANY),
    "a kernel of another kind": lambda: _with(LabelPropagation(gamma=1.0).fit(X, TWO), kernel=np.multiply),
    "a loss that is none": lambda: _with(PoissonRegressor().fit(X, TWO), _base_loss=Bunch(link=Bunch(inverse=np.exp))),
    "a gamma a row of components": lambda: _ahead(_with(KernelPCA(5, kernel="rbf").fit(X), gamma_=MANY)),
    "a mean a row": lambda: _ahead(_with(PLSSVD(1).fit(X, VALUES), _x_mean=np.ones((50, X.shape[1])))),
    "rotations of rotations": lambda: _ahead(_with(PLSRegression(1).fit(X, VALUES), x_rotations_=np.ones((9, 4, 5)))),
    "an alpha a row": lambda: _ahead(
        _with(
            DictionaryLearning(5, max_iter=2, transform_algorithm="threshold").fit(X), transform_alpha=np.ones((5, 9))
        )
    ),
    "a pool of another kind": lambda: _ahead(_with(FeatureAgglomeration(2).fit(X), pooling_func=np.multiply)),
}


@pytest.mark.parametrize("target", LABELS)
@pytest.mark.parametrize("name", WIDE)
def test_what_answers_in_several_columns_is_refused(name: str, target: str) -> None:
    model = OneVsRestClassifier(LogisticRegression()).fit(X, LABELS[target])
    model.estimators_[0] = WIDE[name]()
    with pytest.raises(CodecError, match=r"more than once|not one that its library writes"):
        reloaded(model)


def test_such_an_answer_would_be_written_beyond_the_rows() -> None:
    """That the check is for something: scipy does not look."""
    code = """
import numpy as np
from scipy.sparse import csc_array
csc_array((np.ones(300_000, int), np.arange(300_000) + 10**7, np.array([0, 300_000])), shape=(1, 1)).tocsr()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)  # our own code
    assert done.returncode != 0


class Threshold(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """An estimator of somebody's own."""

    def fit(self, data: Any, target: Any) -> Threshold:
        self.classes_ = np.unique(target)
        self.mean_ = data[:, 0].mean()
        return self

    def decision_function(self, data: Any) -> Any:
        return data[:, 0] - self.mean_


class Plain:
    """One that does not derive from scikit-learn's."""

    def __init__(self) -> None:
        self.sign = 1

    def fit(self, data: Any, target: Any = None) -> Plain:
        self.fitted_ = True
        return self

    def predict(self, data: Any) -> Any:
        return (self.sign * data[:, 0] > 0).astype(int)


def test_estimators_of_ones_own_are_asked() -> None:
    policy = Policy.untrusted().allow(f"{__name__}.Threshold").allow(f"{__name__}.Plain")
    model = OneVsRestClassifier(Threshold()).fit(X, LABELS["labels"])
    assert np.array_equal(reloaded(model, policy).predict(X), model.predict(X))
    frozen = FrozenEstimator(Plain().fit(X))
    assert np.array_equal(reloaded(frozen, policy).predict(X), frozen.predict(X))


@pytest.mark.parametrize("inner", [np.ones(3), {"predict": 1}, [1], None, np.tanh, np.float64(1)], ids=repr)
def test_what_is_no_estimator_is_not_frozen(inner: Any) -> None:
    with pytest.raises(CodecError, match="FrozenEstimator"):
        reloaded(_with(FrozenEstimator(LinearRegression().fit(X, VALUES)), estimator=inner))
