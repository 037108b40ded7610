"""scipy's distributions come back as they were, and no text of a file is executed for them."""

from __future__ import annotations

import io
import pickle
import warnings
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from scipy import stats
from scipy.stats._distn_infrastructure import rv_frozen, rv_generic
from scipy.stats._distr_params import distcont, distdiscrete
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RandomizedSearchCV
from sklearn.preprocessing import FunctionTransformer

import safeload
from safeload.errors import CodecError, DisallowedGlobalError, SafeloadError
from safeload.policy.allowlist import allow_list
from testkit.forging import forged, forged_joblib, with_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEFT_OUT = {"nchypergeom_fisher", "nchypergeom_wallenius", "poisson_binom"}
PARAMETERS = [
    (name, arguments)
    for name, arguments in [*distcont, *distdiscrete]
    if isinstance(name, str) and name not in LEFT_OUT and hasattr(stats, name)
]
OWN = {name: value for name, value in vars(stats).items() if isinstance(value, rv_generic) and name not in LEFT_OUT}


class Unmet:
    """Of this class no object is pickled: nothing is changed."""


class Ramp(stats.rv_continuous):  # type: ignore[misc]
    """Of one's own, with a function of its own."""

    def _pdf(self, x: Any, top: Any) -> Any:
        return 2 * x / top**2


class Coin(stats.rv_discrete):  # type: ignore[misc]
    def _pmf(self, k: Any, p: Any) -> Any:
        return np.where(k == 0, 1 - p, p)


def _load(data: bytes, **options: Any) -> Any:
    return safeload.load_untrusted(io.BytesIO(data), **options)


def _written(value: Any) -> list[bytes]:
    written = [forged(value, Unmet, lambda r: r, protocol) for protocol in range(6)]
    for protocol in range(6):
        buffer = io.BytesIO()
        joblib.dump(value, buffer, protocol=protocol)
        written.append(buffer.getvalue())
    return written


def _refused(value: Any, kind: type | None = None, **edits: Any) -> None:
    for write in (forged, forged_joblib):
        with pytest.raises(SafeloadError):
            _load(write(value, kind or type(value), with_state(**edits)))


# --- what is right ------------------------------------------------------------------------------


def test_a_search_over_distributions_comes_back_and_draws_the_same() -> None:
    candidates = {
        "C": stats.loguniform(1e-3, 1e3),
        "max_iter": stats.randint(50, 100),
        "tol": stats.uniform,
        "intercept_scaling": stats.uniform(0.5, scale=2.0),
        "verbose": stats.rv_discrete(values=([0], [1.0])),
    }
    search = RandomizedSearchCV(LogisticRegression(), candidates, n_iter=3, cv=2, random_state=0)
    rows, labels = np.arange(40.0).reshape(20, 2) % 7, np.arange(20) % 2
    search.fit(rows, labels)
    for data in _written(search):
        for policy in (safeload.Policy.default(), safeload.Policy.untrusted()):
            loaded = _load(data, policy=policy)
            np.testing.assert_array_equal(loaded.predict(rows), search.predict(rows))
            again = loaded.fit(rows, labels)
            assert again.cv_results_["params"] == search.cv_results_["params"]


@pytest.mark.parametrize("name", sorted({name for name, _ in PARAMETERS}))
def test_every_distribution_of_scipy_comes_back(name: str) -> None:
    own = OWN[name]
    for arguments in (given for other, given in PARAMETERS if other == name):
        frozen = own(*arguments)
        loaded, bare = _load(forged([frozen, own], Unmet, lambda r: r))
        assert type(loaded) is type(frozen)
        assert type(bare) is type(own)
        assert (loaded.a, loaded.b) == (frozen.a, frozen.b)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = frozen.rvs(3, random_state=5)
            np.testing.assert_array_equal(loaded.rvs(3, random_state=5), wanted)
            np.testing.assert_array_equal(bare.rvs(*arguments, size=3, random_state=5), wanted)


def test_the_list_names_every_distribution_of_this_scipy() -> None:
    allowed = allow_list("scipy")
    for name, own in OWN.items():
        assert (type(own).__module__, type(own).__qualname__) in allowed, name


def test_what_comes_back_can_be_saved_again() -> None:
    frozen = [stats.norm(1, 2), stats.binom(5, 0.5), stats.rv_discrete(values=([1, 2], [0.25, 0.75])), stats.norm]
    for data in _written(frozen):
        loaded = _load(_written(_load(data))[4])
        again = pickle.loads(pickle.dumps(loaded))
        for first, second in zip(frozen, again, strict=True):
            assert first.mean() == second.mean()
            assert first.entropy() == second.entropy()


def test_scipys_own_instance_stays_as_it_is() -> None:
    before = dict(vars(stats.norm))
    private = stats.norm(3)
    private.random_state = np.random.RandomState(5)
    loaded, bare = _load(forged([private, stats.norm], Unmet, lambda r: r))
    bare.random_state = 7
    loaded.random_state = 8
    assert bare is not stats.norm
    assert vars(stats.norm) == before
    assert stats.norm.random_state is np.random.mtrand._rand


@pytest.mark.parametrize("seed", [np.random.RandomState(5), np.random.default_rng(5)])
def test_a_random_state_of_its_own_goes_on_where_it_was(seed: Any) -> None:
    frozen = stats.gamma(2.0)
    frozen.random_state = seed
    data = _written(frozen)
    wanted = frozen.rvs(5)
    for each in data:
        np.testing.assert_array_equal(_load(each).rvs(5), wanted)


@pytest.mark.parametrize("setting", ["S0", "S1"])
def test_the_parameterization_of_levy_stable_is_kept(setting: str) -> None:
    frozen = stats.levy_stable(1.8, 0.5)
    frozen.dist.parameterization = setting
    loaded = _load(forged(frozen, Unmet, lambda r: r))
    assert loaded.dist.parameterization == setting
    assert loaded.pdf(0.3) == frozen.pdf(0.3)


def test_arguments_may_be_arrays_and_lists() -> None:
    for arguments in ((np.arange(3.0),), ([1, 2], [3.0, 4.0]), (np.float32(2), np.int8(3)), (True, (1, 2))):
        frozen = stats.norm(*arguments)
        for data in _written(frozen):
            np.testing.assert_array_equal(_load(data).cdf(0.5), frozen.cdf(0.5))


def test_no_other_object_shares_the_memory_of_the_arguments() -> None:
    array = np.arange(3.0)
    loaded, other = _load(forged([stats.norm(array), array], Unmet, lambda r: r))
    other[:] = np.nan
    np.testing.assert_array_equal(loaded.mean(), [0, 1, 2])


# --- what is not --------------------------------------------------------------------------------


def _payload(marker: Path) -> str:
    functions = "_parse_args = _parse_args_rvs = _parse_args_stats = print"
    return f"open({str(marker)!r}, 'w').close()\n{functions}\n"


@pytest.mark.parametrize(
    "value", [stats.norm, stats.norm(1), stats.randint(1, 3), stats.rv_discrete(values=([1], [1]))]
)
def test_no_text_of_the_state_is_executed(value: Any, tmp_path: Path) -> None:
    template = _payload(tmp_path / "executed")
    kind = type(getattr(value, "dist", value))
    data = forged(value, kind, with_state(_parse_arg_template=template))
    assert _load(data).mean() == value.mean()
    assert not (tmp_path / "executed").exists()
    pickle.loads(data)  # the attack is real
    assert (tmp_path / "executed").exists()


SHAPES = ["a\n", "a, b", "a=print(1)", "*a", "(a)", "a:b", 5, None, ["a"], "é", "a" * 2000]


@pytest.mark.parametrize("shapes", SHAPES)
def test_no_text_gets_into_what_scipy_executes(shapes: Any, tmp_path: Path) -> None:
    _refused(stats.gamma, shapes=shapes)
    policy = safeload.Policy.default().allow(f"{__name__}.Ramp")
    own = Ramp(a=0, b=2, name="ramp", shapes="top")
    for edit in ({"shapes": shapes}, {"_ctor_param": {**vars(own)["_ctor_param"], "shapes": shapes}, "shapes": ...}):
        if shapes in ("a, b", "a\n", None):
            continue  # names, by whatever number
        with pytest.raises(SafeloadError):
            _load(forged(own, Ramp, with_state(**edit)), policy=policy)


@pytest.mark.parametrize(
    "edit",
    [
        {"name": "gamma"},
        {"name": "Norm"},
        {"name": "__class__"},
        {"name": 5},
        {"name": ["norm"]},
        {"name": ...},
        {"_random_state": None},
        {"_random_state": 5},
        {"_random_state": np.random.PCG64(5)},
        {"_random_state": ...},
        {"a": 0.0},
        {"a": [1]},
        {"b": np.arange(3)},
        {"badvalue": 1.0},
        {"xtol": ...},
        {"shapes": "c"},
        {"parameterization": "S2"},
        {"parameterization": 5},
        {"quad_eps": 1e-3},
        {"pdf_default_method": "piecewise"},
        {"extra": 1},
        {"pdf": np.log},
        {"_pdf": np.log},
    ],
)
def test_a_distribution_that_is_not_scipys_own_is_refused(edit: dict[str, Any]) -> None:
    _refused(stats.norm, **edit)
    _refused(stats.norm(1), type(stats.norm), **edit)


CYCLE: list[Any] = []
CYCLE.append(CYCLE)
MANY = np.zeros(10_001)


@pytest.mark.parametrize(
    "value",
    [
        "1",
        None,
        b"1",
        1j,
        {},
        {1},
        [[1]],
        ["1"],
        [None],
        [MANY[:1]],
        CYCLE,
        2**64,
        -(2**63) - 1,
        10**4000,
        MANY,
        list(range(10_001)),
        np.array([1j]),
        np.array(["1"]),
        np.array([None]),
        np.array([2**70], object),
        np.datetime64("2026-01-01"),
        np.str_("1"),
        print,
        np.log,
        stats.norm,
        np.matrix([[1.0]]),
        np.ma.masked_array([1.0]),
    ],
)
def test_a_frozen_distribution_holds_numbers(value: Any) -> None:
    frozen = stats.norm(1)
    _refused(frozen, args=(value,))
    _refused(frozen, kwds={"scale": value})


@pytest.mark.parametrize(
    "edit",
    [
        {"args": [1]},
        {"args": ...},
        {"args": (1, 2, 3, 4)},
        {"args": (1,) * 21},
        {"args": (np.zeros((101, 1)), np.zeros((1, 101)))},
        {"args": (np.zeros(2), np.zeros(3))},
        {"kwds": None},
        {"kwds": {"color": 1}},
        {"kwds": {"loc": 1}},
        {"kwds": {5: 1}},
        {"kwds": {"size": 10**9}},
        {"dist": None},
        {"dist": stats.norm(1)},
        {"dist": 5},
        {"a": ...},
        {"extra": 1},
        {"pdf": np.log},
        {"dist": ...},
    ],
)
def test_a_frozen_distribution_is_made_of_its_five_parts(edit: dict[str, Any]) -> None:
    _refused(stats.norm(1), **edit)


def test_the_support_is_counted_anew() -> None:
    data = forged(stats.uniform(1, 2), type(stats.uniform(1)), with_state(a="x", b=[1]))
    loaded = _load(data)
    assert (loaded.a, loaded.b) == (0.0, 1.0)


ORDERS: dict[str, Callable[[Any], Any]] = {
    "no state": lambda r: r[:2],
    "an empty state": lambda r: (*r[:2], {}),
    "a tuple": lambda r: (*r[:2], ({}, None)),
    "a list": lambda r: (*r[:2], []),
    "slots": lambda r: (*r[:2], (None, {"a": 1})),
    "items": lambda r: (*r[:3], None, iter([("a", 1)])),
    "appended": lambda r: (*r[:3], iter([1])),
}


@pytest.mark.parametrize("how", ORDERS)
def test_a_frozen_distribution_needs_one_that_is_complete(how: str) -> None:
    frozen = stats.norm(1)
    with pytest.raises(SafeloadError):
        _load(forged(frozen, type(stats.norm), ORDERS[how]))


class _Getattr:
    """Pickled as ``getattr(target, name)``."""

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __reduce__(self) -> Any:
        return getattr, self.args


@pytest.mark.parametrize(
    "args",
    [
        (stats.norm, "rvs"),
        (stats.norm, "__class__"),
        (stats.norm, "_entropy", None),
        (stats.norm,),
        (LogisticRegression(), "fit"),
        (np.arange(3), "tofile"),
        (np.ndarray, "_entropy"),
        ("x", "_entropy"),
        ({}, "_entropy"),
        (5, "_entropy"),
    ],
)
def test_getattr_gives_nothing_away(args: tuple[Any, ...]) -> None:
    with pytest.raises(SafeloadError):
        _load(pickle.dumps(_Getattr(*args)))


def test_getattr_of_anything_else_is_outside_of_the_policy() -> None:
    for args in ((stats.norm, "rvs"), (np.ndarray, "_entropy"), (np.arange(3), "tofile")):
        data = pickle.dumps(FunctionTransformer(func=_Getattr(*args)))
        with pytest.raises(DisallowedGlobalError):
            _load(data)


def test_the_method_in_a_distribution_is_inert_elsewhere() -> None:
    loaded = _load(pickle.dumps(FunctionTransformer(func=_Getattr(stats.binom, "_entropy"))))
    with pytest.raises(TypeError):
        loaded.transform(np.ones((2, 2)))
    with pytest.raises(CodecError):
        pickle.dumps(loaded)
    with pytest.raises(SafeloadError):
        _load(pickle.dumps(FunctionTransformer(func=vars(stats.binom)["vecentropy"])))


@pytest.mark.parametrize(
    "edit",
    [{"pyfunc": 5}, {"pyfunc": ...}, {"pyfunc": [np.log]}, {"__call__": np.log}, {"x": 1}, {"_call_as_normal": np.log}],
)
def test_vectorize_has_its_own_attributes_only(edit: dict[str, Any]) -> None:
    _refused(np.vectorize(np.log), **edit)


def test_the_functions_that_vectorize_kept_are_not_of_the_file() -> None:
    loaded = _load(forged(np.vectorize(np.log), np.vectorize, with_state(_ufunc={1: np.exp, 2: np.add})))
    assert vars(loaded)["_ufunc"] == {}


# --- classes of one's own -----------------------------------------------------------------------


def test_a_class_of_ones_own_needs_the_policy_and_keeps_what_it_is() -> None:
    own = Ramp(a=0, b=2, name="ramp", shapes="top")
    own.note = "mine"
    coin = Coin(a=0, b=1, name="coin")
    data = forged([own(2.0), own, coin(0.25)], Unmet, lambda r: r)
    with pytest.raises(DisallowedGlobalError):
        _load(data)
    frozen, bare, discrete = _load(data, policy=safeload.Policy.default().allow(f"{__name__}.Ramp", f"{__name__}.Coin"))
    assert type(bare) is Ramp
    assert bare.note == "mine"
    assert frozen.cdf(1.0) == own(2.0).cdf(1.0) == pytest.approx(0.25)
    assert discrete.pmf(1) == 0.25
    assert isinstance(frozen, rv_frozen)


def test_not_even_a_class_of_ones_own_executes_the_file(tmp_path: Path) -> None:
    own = Ramp(a=0, b=2, name="ramp", shapes="top")
    data = forged(own, Ramp, with_state(_parse_arg_template=_payload(tmp_path / "executed")))
    loaded = _load(data, policy=safeload.Policy.default().allow(f"{__name__}.Ramp"))
    assert loaded.cdf(1.0, 2.0) == pytest.approx(0.25)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", ["_parse_args", "_ppfvec", "generic_moment", "numargs", "_cdfvec"])
def test_what_the_constructor_makes_is_not_taken_from_the_file(name: str) -> None:
    own = Ramp(a=0, b=2, name="ramp", shapes="top")
    policy = safeload.Policy.default().allow(f"{__name__}.Ramp")
    loaded = _load(forged(own, Ramp, with_state(**{name: np.log})), policy=policy)
    assert loaded.ppf(0.25, 2.0) == pytest.approx(1.0)
    assert loaded.moment(1, 2.0) == pytest.approx(4 / 3)


@pytest.mark.parametrize(
    "values",
    [
        5,
        ([1, 2],),
        ([1, 2], [0.5, 0.4]),
        ([1, 2], [0.5]),
        ([1, 1], [0.5, 0.5]),
        ([1, 2], [1.5, -0.5]),
        (["a"], [1.0]),
        ([None], [1.0]),
        (MANY, MANY),
        (np.array([[None]]), [1]),
    ],
)
def test_a_sample_is_made_by_its_constructor(values: Any) -> None:
    sample = stats.rv_discrete(values=([1, 2], [0.5, 0.5]))
    _refused(sample, _ctor_param={**vars(sample)["_ctor_param"], "values": values})


INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    "frozen",
    [
        *(stats.vonmises(kappa) for kappa in (1e300, INF)),
        *(stats.vonmises_line(kappa) for kappa in (1e300, INF)),
        *(stats.zipf(a) for a in (1 + 1e-12, 1_025.0, 1e6, INF, NAN)),
        *(stats.irwinhall(n) for n in (10**9, 1e300, INF, [3, 10**9], 1e-300)),
        *(stats.nbinom(n, 0.4) for n in (1e16, 1e-300)),
        stats.nct(1e-300, 0.24),
        stats.binom(1e9, 0.5),
        stats.hypergeom(10**9, 10**8, 10**8),
        stats.betabinom(1e9, 1, 1),
        stats.nhypergeom(10**9, 5 * 10**8, 10**7),
        stats.zipfian(0.75, 1e9),
        stats.zipf(a=1e6, loc=3),
        stats.zipf([2.0, 1e6]),
    ],
    ids=lambda frozen: f"{frozen.dist.name}{frozen.args}",
)
def test_nothing_is_loaded_that_never_draws_a_number(frozen: Any) -> None:
    for data in _written(frozen):
        with pytest.raises(CodecError, match="no answer in time"):
            _load(data)


@pytest.mark.parametrize(
    "frozen",
    [
        stats.vonmises(1e6), stats.vonmises(0.0), stats.zipf(1.001), stats.zipf(30.0), stats.irwinhall(1_000),
        stats.nhypergeom(200, 70, 12), stats.zipfian(0.75, 100_000), stats.zipf([2.0, 3.0]),
        stats.loguniform(1e-300, 1e300), stats.randint(0, 10**15), stats.uniform(0, 1e308), stats.poisson(1e15),
    ],
    ids=lambda frozen: f"{frozen.dist.name}{frozen.args}",
)  # fmt: skip
def test_large_and_small_parameters_are_no_harm(frozen: Any) -> None:
    for data in _written(frozen):
        np.testing.assert_array_equal(_load(data).rvs(random_state=3), frozen.rvs(random_state=3))
