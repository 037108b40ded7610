"""Models of other models, where the answers of one are places for another, and expansions of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn import (
    calibration,
    cluster,
    decomposition,
    ensemble,
    kernel_approximation,
    linear_model,
    manifold,
    model_selection,
    preprocessing,
)
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.semi_supervised import LabelPropagation, LabelSpreading
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor

from fuzz.families_scipy import CANDIDATES
from testkit.estimators import CLASSES, X

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MEMBERS"]

_LOGISTIC = linear_model.LogisticRegression()
_SCALED = make_pipeline(preprocessing.StandardScaler(), _LOGISTIC)
_FITTED = _SCALED.fit(X, CLASSES)
_THREE: list[tuple[str, Any]] = [("a", _SCALED), ("b", GaussianNB()), ("c", KNeighborsClassifier(3))]
_FROZEN: list[tuple[str, Any]] = [("a", FrozenEstimator(_FITTED)), ("b", FrozenEstimator(GaussianNB().fit(X, CLASSES)))]
_REGRESSORS: list[tuple[str, Any]] = [("a", linear_model.Ridge()), ("b", DecisionTreeRegressor(max_depth=2))]
_RESTS: Mapping[str, Any] = {
    "pipeline": _SCALED,
    "linear": LinearSVC(),
    "no intercept": linear_model.SGDClassifier(fit_intercept=False, random_state=0),
    "forest": ensemble.RandomForestClassifier(2, random_state=0),
    "bayes": GaussianNB(),
    "discriminants": LinearDiscriminantAnalysis(),
    "boosted": ensemble.AdaBoostClassifier(n_estimators=2, random_state=0),
    "histograms": ensemble.HistGradientBoostingClassifier(max_iter=2),
    "machine": SVC(),
    "neighbours": KNeighborsClassifier(),
    "many": ensemble.VotingClassifier(_THREE[:2], voting="soft"),
    "perceptrons": MLPClassifier((3,), max_iter=3, random_state=0),
    "process": GaussianProcessClassifier(1.0 * RBF([1.0] * X.shape[1]) + WhiteKernel(), optimizer=None),
    "process of values": GaussianProcessRegressor(DotProduct() + WhiteKernel(), alpha=1.0, optimizer=None),
    "propagation": LabelPropagation(gamma=1.0),
    "spreading": LabelSpreading("knn", n_neighbors=3),
    "centroid": NearestCentroid(),
    "kernel ridge": KernelRidge(kernel="laplacian"),
    "partial least squares": PLSRegression(),
    "counts": make_pipeline(preprocessing.MinMaxScaler(), linear_model.PoissonRegressor()),
    "kernel components": make_pipeline(decomposition.KernelPCA(2, kernel="rbf"), _LOGISTIC),
    "a dictionary": make_pipeline(
        decomposition.DictionaryLearning(2, max_iter=3, transform_algorithm="threshold", random_state=0), _LOGISTIC
    ),
    "clusters": make_pipeline(cluster.Birch(n_clusters=2), _LOGISTIC),
    "clusters of columns": make_pipeline(cluster.FeatureAgglomeration(2), _LOGISTIC),
    "a map": make_pipeline(manifold.Isomap(n_components=2), _LOGISTIC),
    "another map": make_pipeline(manifold.LocallyLinearEmbedding(n_components=2, random_state=0), _LOGISTIC),
}
# Name -> the model, and the data of the test kit that it is fitted to.
MEMBERS: dict[str, tuple[Any, str]] = {
    **{f"rest, {name}": (OneVsRestClassifier(model), "labels") for name, model in _RESTS.items()},
    "rest of classes": (OneVsRestClassifier(LinearSVC()), "names"),
    "rest of two": (OneVsRestClassifier(_LOGISTIC), "two classes"),
    "rest, sparse": (OneVsRestClassifier(LinearSVC()), "sparse"),
    "one against one": (OneVsOneClassifier(LinearSVC()), "names"),
    "output codes": (OutputCodeClassifier(_LOGISTIC, random_state=0), "names"),
    "chain": (ClassifierChain(_LOGISTIC), "labels"),
    "outputs": (MultiOutputClassifier(_LOGISTIC), "labels"),
    "frozen": (FrozenEstimator(_FITTED), "classes"),
    "frozen, calibrated": (calibration.CalibratedClassifierCV(FrozenEstimator(_FITTED), cv=2), "classes"),
    "votes, hard": (ensemble.VotingClassifier(_THREE), "names"),
    "votes, weighed": (ensemble.VotingClassifier(_THREE, voting="hard", weights=[1, 2, 3]), "classes"),
    "votes, soft": (ensemble.VotingClassifier(_THREE, voting="soft", weights=[1, 2, 3]), "names"),
    "votes of frozen": (ensemble.VotingClassifier(_FROZEN), "classes"),
    "mean of regressors": (ensemble.VotingRegressor(_REGRESSORS, weights=[1, 2]), "values"),
    "stacked, frozen": (ensemble.StackingClassifier(_FROZEN, cv="prefit"), "classes"),
    "random search": (
        model_selection.RandomizedSearchCV(_LOGISTIC, CANDIDATES, n_iter=2, cv=2, random_state=0),
        "two classes",
    ),
    "random search of one": (
        model_selection.RandomizedSearchCV(linear_model.Ridge(), {"alpha": CANDIDATES["C"]}, n_iter=2, cv=2),
        "values",
    ),
    **{
        f"polynomials of {degree}, {name}{', interactions' if switch else ''}": (
            preprocessing.PolynomialFeatures(degree, interaction_only=switch, include_bias=not switch),
            name,
        )
        for degree in (1, 2, 3, (2, 3), 4)
        for name in ("classes", "sparse")
        for switch in (False, True)
    },
    "splines": (preprocessing.SplineTransformer(4, degree=2, include_bias=False), "classes"),
    "splines in a matrix": (preprocessing.SplineTransformer(sparse_output=True, extrapolation="constant"), "classes"),
    "sketch": (kernel_approximation.PolynomialCountSketch(degree=3, n_components=8, random_state=0), "classes"),
    "sketch, sparse": (kernel_approximation.PolynomialCountSketch(n_components=8, random_state=0), "sparse"),
    "squares": (kernel_approximation.AdditiveChi2Sampler(sample_steps=3), "counts"),
}
