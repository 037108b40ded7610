"""Valid streams of real models, changed: each is refused or harmless. A short run with a fixed seed.

docs/fuzzing.md has the command for the long one, and what it found.
"""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from fuzz.campaign import Campaign, baseline
from fuzz.cuts import closed_copy
from fuzz.exercise import uses_of
from fuzz.families import families
from fuzz.family import KINDS
from fuzz.mutate import Mutator
from fuzz.nodes import parse
from fuzz.reports import new_reports
from fuzz.run import Death, Outcome, Runner
from fuzz.tokens import read, write
from testkit.boosters import LIBRARIES, library

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fuzz.family import Family

pytestmark = pytest.mark.filterwarnings("ignore")

MUTANTS, MUTANTS_OF_OTHERS = 1_500, 400
NAMES = frozenset({
    "AdaBoostClassifier", "BaggingClassifier", "BernoulliNB", "Birch", "BisectingKMeans", "CalibratedClassifierCV",
    "ColumnTransformer", "CountVectorizer", "DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreesClassifier",
    "FeatureHasher", "GaussianNB", "GaussianProcessClassifier", "GradientBoostingClassifier", "GridSearchCV", "HDBSCAN",
    "HashingVectorizer", "HistGradientBoostingClassifier", "IsolationForest", "IsotonicRegression", "KBinsDiscretizer",
    "KMeans", "KNeighborsClassifier", "KernelDensity", "Lasso", "LatentDirichletAllocation",
    "LinearDiscriminantAnalysis",
    "LinearSVC", "LocalOutlierFactor", "LogisticRegression", "MLPClassifier", "MeanShift", "NMF", "NearestCentroid",
    "NuSVC", "OneClassSVM", "OneHotEncoder", "OrdinalEncoder", "PCA", "PLSRegression", "PolynomialFeatures",
    "PowerTransformer", "QuantileTransformer", "RandomForestClassifier", "Ridge", "SGDClassifier", "SVC", "SVR",
    "SimpleImputer", "SplineTransformer", "StandardScaler", "TfidfVectorizer", "TruncatedSVD", "VotingClassifier",
    "ball_tree, small leaves", "histograms with categories", "isolation of some columns", "novelty, kd_tree",
    "polynomials, sparse", "rare categories", "sparse neighbours", "sparse support vectors", "stacking",
    "array <f8", "array <M8[ns]", "array, masked", "array, objects", "array, records", "array, records of objects",
    "bsr_array", "coo_matrix", "csc_array", "csr_matrix", "dia_matrix", "dok_matrix", "lil_matrix",
    "Generator of PCG64", "Generator of Philox", "RandomState", "SFC64", "pattern",
})  # fmt: skip
OTHERS = frozenset({
    "frozen", "outputs", "random search", "rest, bayes", "rest, linear", "rest, pipeline", "sketch", "splines",
    "polynomials of 3, sparse", "votes of frozen", "votes, hard",
    "pandas, a table", "pandas, categories", "pandas, dates", "pandas, grouped", "pandas, indexes of dates",
    "pandas, intervals", "pandas, levels of many kinds", "pandas, nullable", "pandas, pandas in pandas",
    "pandas, periods", "pandas, sparse", "pandas, texts",
    "scipy, KDTree", "scipy, cKDTree, not balanced", "scipy, candidates", "scipy, cubic spline", "scipy, gamma",
    "scipy, grid", "scipy, interp1d, cubic", "scipy, nearest", "scipy, randint", "scipy, spline of degree 3",
})  # fmt: skip
BOOSTED = frozenset({
    "catboost, categories", "catboost, uncertainty", "catboost, voting", "lightgbm, continued", "lightgbm, native",
    "lightgbm, selection", "xgboost, callback", "xgboost, native", "xgboost, pipeline",
})  # fmt: skip


@pytest.fixture(scope="module")
def few() -> list[Family]:
    return families(names=NAMES, kinds=("sklearn", "plain"))


@pytest.fixture(scope="module")
def others() -> list[Family]:
    return families(names=OTHERS, kinds=("members", "pandas", "scipy"))


@pytest.fixture(scope="module")
def boosted() -> list[Family]:
    for name in LIBRARIES:
        library(name)
    return families(names=BOOSTED, kinds=("boosters",))


def _names(found: list[Family]) -> set[str]:
    return {family.name.removesuffix(", other") for family in found}


def test_all_families_are_there(few: list[Family], others: list[Family], boosted: list[Family]) -> None:
    assert [_names(found) for found in (few, others, boosted)] == [NAMES, OTHERS, BOOSTED]
    assert {family.kind for family in (*few, *others, *boosted)} == set(KINDS)


def test_unchanged_every_family_loads_and_predicts_the_same(few: list[Family], others: list[Family]) -> None:
    baseline([*few, *others])


def test_unchanged_every_booster_loads_and_predicts_the_same(boosted: list[Family]) -> None:
    baseline(boosted)


def _run(found: list[Family], mutants: int, out: Path) -> None:
    figures = Campaign(found, 2024, "safeload", out).run(range(mutants))
    notes = out / "findings.txt"
    assert not figures.deaths, notes.read_text()
    assert set(figures.outcomes) == {"accepted", "refused"}, notes.read_text()
    # Both happen often, or the mutations are too coarse, or too fine.
    assert min(figures.outcomes.values()) > mutants // 4, figures.outcomes


def test_each_mutant_is_refused_or_harmless(few: list[Family], tmp_path: Path) -> None:
    _run(few, MUTANTS, tmp_path)


def test_each_mutant_of_other_libraries_is_refused_or_harmless(others: list[Family], tmp_path: Path) -> None:
    _run(others, MUTANTS_OF_OTHERS, tmp_path)


def test_each_mutant_around_a_booster_is_refused_or_harmless(boosted: list[Family], tmp_path: Path) -> None:
    _run(boosted, MUTANTS_OF_OTHERS, tmp_path)


def test_what_is_used_answers(others: list[Family], boosted: list[Family]) -> None:
    """Or a campaign would only count how often nothing happens."""
    for family in (*others, *boosted):
        answered = 0
        for _, use in uses_of(family.value, family.data):
            with suppress(Exception):
                use()
                answered += 1
        assert answered > 3, family.name


def test_a_stream_that_is_taken_apart_is_put_together_again(few: list[Family]) -> None:
    for family in few:
        for tree in family.trees.values():
            assert parse(read(write(tree.tokens))).tokens[0] == tree.tokens[0]
            assert write(read(write(tree.tokens))) == write(tree.tokens)


def test_the_same_number_gives_the_same_mutant(few: list[Family]) -> None:
    one, other = Mutator(few, 3), Mutator(few, 3)
    assert [one[index].data for index in range(60)] == [other[index].data for index in reversed(range(60))][::-1]


def test_a_part_that_is_copied_holds_all_that_it_fetches(few: list[Family]) -> None:
    rng = random.Random(5)  # noqa: S311 - to be repeated, not to be secret
    for family in few:
        tree = family.trees["pickle 4"]
        copy = closed_copy(tree, rng.choice(tree.nodes))
        if copy is not None:
            assert len(parse([tree.tokens[0], *copy, tree.tokens[-1]]).tokens) == len(copy) + 2


def test_a_death_is_named_and_the_rest_goes_on() -> None:
    def work(index: int, stage: Callable[[str], None]) -> Outcome:
        stage("using")
        if index in (3, 4):
            raise SystemExit
        return Outcome("family", "accepted")

    deaths: list[Death] = []
    outcomes = Counter(index for index, _ in Runner(work, deaths.append).run(range(8)))
    assert deaths == [Death(3, "using", "exit 1", True), Death(4, "using", "exit 1", True)]
    assert sorted(outcomes) == [0, 1, 2, 5, 6, 7]


LOG = """\
=== unchanged 00001: a model
==7== Invalid read of size 8
==7==    at 0x4023C6C: known (a.so)
==7==    by 0x1: outer (b.so)
==7==
=== mutant 00002: 7 of a model: number
==7== Invalid read of size 8
==7==    at 0x4FF: known (a.so)
==7==    by 0x2: outer (b.so)
==7==
==7== Invalid write of size 8
==7==    at 0x4FF: heap_push (a.so)
==7==
the process ended with -11 at case 3
"""


def test_of_a_memory_checker_only_what_unchanged_models_do_not_give_is_told() -> None:
    assert new_reports(LOG) == {
        "Invalid write of size 8\n    heap_push (a.so)": ["00002: 7 of a model: number"],
        "the process ended with -11 at case 3": ["00002: 7 of a model: number"],
    }
