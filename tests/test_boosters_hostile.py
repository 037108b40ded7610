"""Forged states of boosters: an address that would be freed, a model that is none, a path that would be opened.

pytestmark = pytest.mark.once

A file of the attacks is loaded by another process, so that one that succeeds is a signal and not the end of the tests.
"""

from __future__ import annotations

import copyreg
import io
import json
import os
import pickle
import pickletools
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import safeload
from safeload import Policy
from safeload.errors import CodecError
from testkit.boosters import LIBRARIES, fitted, library
from testkit.forging import forged, with_state

if TYPE_CHECKING:
    from collections.abc import Callable

    # Given a path that nobody may open, the stream.
    Attack = Callable[[str], bytes]

ADDRESS = 0x5AFE10AD
# What refuses: the contract, the policy, or, for bytes that begin well, the library.
CONTRACT, POLICY, LIBRARY = "contract", "policy", "library"


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    library(module.partition(".")[0])
    return getattr(sys.modules[module], name)


def _genuine(kind: str) -> Any:
    """A fitted model, or what stands in one."""
    xgb, lgb, cat = fitted, fitted, fitted
    models = {
        "xgboost.core.Booster": lambda: xgb("xgboost")["native"][0],
        "xgboost.sklearn.XGBClassifier": lambda: xgb("xgboost")["two classes"][0],
        "lightgbm.basic.Booster": lambda: lgb("lightgbm")["native"][0],
        "lightgbm.basic._InnerPredictor": lambda: _empty("lightgbm.basic._InnerPredictor"),
        "lightgbm.sklearn.LGBMClassifier": lambda: lgb("lightgbm")["class weights"][0],
        "catboost.core.CatBoostClassifier": lambda: cat("catboost")["multi-class"][0],
    }
    return models[kind]()


def _empty(kind: str) -> Any:
    """Of an object without its attributes, none is freed here."""
    return object.__new__(_class(kind))


def _state(kind: str, **edits: Any) -> Attack:
    """A genuine model with items of its state changed; an edit that is a function is called with the path."""

    def attack(path: str) -> bytes:
        made = {name: edit(path) if callable(edit) else edit for name, edit in edits.items()}
        return forged(_genuine(kind), _class(kind), with_state(**made))

    return attack


def _reduction(kind: str, change: Callable[[Any, str], Any], protocol: int = 4) -> Attack:
    return lambda path: forged(_genuine(kind), _class(kind), lambda reduction: change(reduction, path), protocol)


def _global(kind: str) -> bytes:
    _class(kind)
    module, _, name = kind.rpartition(".")
    return f"c{module}\n{name}\n".encode()


def _opcodes(kind: str, *states: Any) -> Attack:
    """The class, NEWOBJ, and a BUILD for each state."""

    def attack(path: str) -> bytes:
        parts = [pickletools.optimize(pickle.dumps(state, 2))[2:-1] + b"b" for state in states]
        return b"\x80\x02" + _global(kind) + b")\x81" + b"".join(parts) + b"."

    return attack


def _raw(text: bytes, kind: str) -> Attack:
    return lambda path: text.replace(b"<class>", _global(kind))


def _called(kind: str, **arguments: Any) -> Attack:
    """What scikit-learn calls when the model transforms."""
    return lambda path: pickle.dumps(FunctionTransformer(_class(kind), kw_args={**arguments, "model_file": path}))


def _shared_buffer(path: str) -> bytes:
    one, other = (pickle.loads(pickle.dumps(_genuine("xgboost.core.Booster"))) for _ in range(2))
    buffer = one.__getstate__()["handle"]
    return forged([one, other], type(one), with_state(handle=buffer))


def _inside(path: str) -> bytes:
    """A booster that went on from another one, whose predictor says that it owns an address."""
    model, _ = fitted("lightgbm")["continued"]
    predictor = with_state(_handle=ADDRESS, _InnerPredictor__is_manage_handle=True)
    return forged(model, _class("lightgbm.basic._InnerPredictor"), predictor)


XGB, XGB_MODEL = "xgboost.core.Booster", "xgboost.sklearn.XGBClassifier"
LGB, LGB_MODEL = "lightgbm.basic.Booster", "lightgbm.sklearn.LGBMClassifier"
PREDICTOR, CAT = "lightgbm.basic._InnerPredictor", "catboost.core.CatBoostClassifier"

# How protocol 0 instantiates.
RECONSTRUCTED = b"ccopy_reg\n_reconstructor\n(<class>c__builtin__\nobject\nNtR."

# Library -> attack -> (what refuses it, the stream).
ATTACKS: dict[str, dict[str, tuple[str, Attack]]] = {
    "xgboost": {
        "address": (CONTRACT, _state(XGB, handle=ADDRESS)),
        "no handle": (CONTRACT, _state(XGB, handle=...)),
        "None for a handle": (CONTRACT, _state(XGB, handle=None)),
        "list for a handle": (CONTRACT, _state(XGB, handle=[1, 2])),
        "text for a handle": (CONTRACT, _state(XGB, handle="{L")),
        "bytes for a handle": (CONTRACT, _state(XGB, handle=b"{L")),
        "path for a handle": (CONTRACT, _state(XGB, handle=lambda path: path)),
        "path in the bytes": (CONTRACT, _state(XGB, handle=lambda path: bytearray(path.encode()))),
        "older format": (CONTRACT, _state(XGB, handle=bytearray(b"CONFIG-offset:\x08\0\0\0\0\0\0\0{}"))),
        "JSON": (CONTRACT, _state(XGB, handle=bytearray(b'{"Model": {}, "Config": {}}'))),
        "nothing for a model": (CONTRACT, _state(XGB, handle=bytearray(b""))),
        "no model": (CONTRACT, _state(XGB, handle=bytearray(b"{L"))),
        "a booster for a handle": (CONTRACT, lambda path: _opcodes(XGB, {"handle": _genuine(XGB)})(path)),
        "another item": (CONTRACT, _state(XGB, best_ntree_limit=1)),
        "a method": (CONTRACT, _state(XGB, predict=1)),
        "a dunder": (POLICY, _state(XGB, __class__=1)),
        "never built": (POLICY, _reduction(XGB, lambda reduction, path: reduction[:2])),
        "never built, protocol 0": (
            POLICY,
            _raw(RECONSTRUCTED, XGB),
        ),
        "over itself": (POLICY, _raw(b"ccopy_reg\n_reconstructor\n(<class>p0\ng0\nNtR(dS'handle'\nNsb.", XGB)),
        "over a dict": (
            CONTRACT,
            _raw(b"ccopy_reg\n_reconstructor\n(<class>c__builtin__\ndict\n(dtR(dS'handle'\nI1\nsb.", XGB),
        ),
        "built twice": (POLICY, _opcodes(XGB, {"handle": None}, {"handle": ADDRESS})),
        "built of nothing": (CONTRACT, _raw(b"\x80\x02<class>)\x81Nb.", XGB)),
        "slots": (CONTRACT, _opcodes(XGB, (None, {"handle": ADDRESS}))),
        "itself in its state": (POLICY, _raw(b"\x80\x02<class>)\x81q\0}X\x06\0\0\0handleh\0sb.", XGB)),
        "arguments": (
            CONTRACT,
            _reduction(XGB, lambda reduction, path: (copyreg.__newobj__, (_class(XGB), {}, (), path), reduction[2])),  # type: ignore[attr-defined]
        ),
        "called": (POLICY, _reduction(XGB, lambda reduction, path: (_class(XGB), ({}, (), path)))),
        "called later": (POLICY, _called(XGB)),
        "shared bytes": (CONTRACT, _shared_buffer),
        "address in a matrix": (POLICY, lambda path: _opcodes("xgboost.core.DMatrix", {"handle": ADDRESS})(path)),
        "writes at the next fit": (
            POLICY,
            lambda path: _opcodes("xgboost.callback.TrainingCheckPoint", {"dir_path": path, "name": "m"})(path),
        ),
        "another class for the booster": (CONTRACT, _state(XGB_MODEL, _Booster=StandardScaler())),
        "None for the booster": (CONTRACT, _state(XGB_MODEL, _Booster=None)),
        "a function for the booster": (CONTRACT, _state(XGB_MODEL, _Booster=len)),
    },
    "lightgbm": {
        "address": (CONTRACT, _state(LGB, _handle=ADDRESS)),
        "no handle": (CONTRACT, _state(LGB, _handle=...)),
        "None for a handle": (CONTRACT, _state(LGB, _handle=None)),
        "bytes for a handle": (CONTRACT, _state(LGB, _handle=b"tree\n")),
        "address by its older name": (CONTRACT, _state(LGB, _handle=..., handle=ADDRESS)),
        "two handles": (CONTRACT, _state(LGB, handle="tree\n")),
        "path for a handle": (CONTRACT, _state(LGB, _handle=lambda path: path)),
        "no model": (CONTRACT, _state(LGB, _handle="tree\n")),
        "address of a predictor": (
            CONTRACT,
            _state(PREDICTOR, _handle=ADDRESS, _InnerPredictor__is_manage_handle=True),
        ),
        "address by its older name, of a predictor": (
            CONTRACT,
            _state(PREDICTOR, handle=ADDRESS, _InnerPredictor__is_manage_handle=True),
        ),
        "address inside a booster": (CONTRACT, _inside),
        "predictor never built": (POLICY, _reduction(PREDICTOR, lambda reduction, path: reduction[:2])),
        "predictor called": (POLICY, _reduction(PREDICTOR, lambda reduction, path: (_class(PREDICTOR), (ADDRESS,)))),
        "predictor called later": (POLICY, _called(PREDICTOR, booster_handle=ADDRESS)),
        "never built": (POLICY, _reduction(LGB, lambda reduction, path: reduction[:2])),
        "never built, protocol 0": (
            POLICY,
            _raw(RECONSTRUCTED, LGB),
        ),
        "over itself": (POLICY, _raw(b"ccopy_reg\n_reconstructor\n(<class>p0\ng0\nNtR(dS'_handle'\nNsb.", LGB)),
        "built twice": (POLICY, _opcodes(LGB, {"_handle": None}, {"_handle": ADDRESS})),
        "slots": (CONTRACT, _opcodes(LGB, (None, {"_handle": ADDRESS}))),
        "itself in its state": (POLICY, _raw(b"\x80\x02<class>)\x81q\0}X\x07\0\0\0_handleh\0sb.", LGB)),
        "arguments": (
            CONTRACT,
            _reduction(LGB, lambda reduction, path: (copyreg.__newobj__, (_class(LGB), {}, None, path), reduction[2])),  # type: ignore[attr-defined]
        ),
        "called": (POLICY, _reduction(LGB, lambda reduction, path: (_class(LGB), ({}, None, path)))),
        "called later": (POLICY, _called(LGB)),
        "a method": (CONTRACT, _state(LGB, predict=1)),
        "another item": (CONTRACT, _state(LGB, train_set=[])),
        "categories": (CONTRACT, _state(LGB, pandas_categorical=["abc"])),
        "parameters": (CONTRACT, _state(LGB, params="config=x")),
        "iteration": (CONTRACT, _state(LGB, best_iteration="1")),
        "address in a data set": (POLICY, lambda path: _opcodes("lightgbm.basic.Dataset", {"_handle": ADDRESS})(path)),
        "another class for the booster": (CONTRACT, _state(LGB_MODEL, _Booster=StandardScaler())),
        "a function for the booster": (CONTRACT, _state(LGB_MODEL, _Booster=len)),
        "fewer features": (CONTRACT, _state(LGB_MODEL, _n_features=2, _n_features_in=2)),
        "more features": (CONTRACT, _state(LGB_MODEL, _n_features=2**40, _n_features_in=2**40)),
        "a million threads": (CONTRACT, _state(LGB_MODEL, n_jobs=10**6)),
        "a million threads besides": (CONTRACT, _state(LGB_MODEL, _other_params={"num_threads": 10**6})),
    },
    "catboost": {
        "address": (CONTRACT, _state(CAT, __model=ADDRESS)),
        "None for a model": (CONTRACT, _state(CAT, __model=None)),
        "text for a model": (CONTRACT, _state(CAT, __model="CBM1")),
        "path for a model": (CONTRACT, _state(CAT, __model=lambda path: path.encode())),
        "no model": (LIBRARY, _state(CAT, __model=b"CBM1")),
        "an object": (CONTRACT, _state(CAT, _object=1)),
        "a dunder": (POLICY, _state(CAT, __class__=1)),
        "evaluations that are none": (CONTRACT, _state(CAT, _test_evals=ADDRESS)),
        "flat evaluations": (CONTRACT, _state(CAT, _test_evals=[1.0])),
        "evaluations of text": (CONTRACT, _state(CAT, _test_evals=[[["1"]]])),
        "endless evaluations": (CONTRACT, _state(CAT, _test_evals=range(4_000))),
        "importances": (CONTRACT, _state(CAT, _prediction_values_change="a")),
        "never built": (POLICY, _reduction(CAT, lambda reduction, path: reduction[:2])),
        "over itself": (POLICY, _raw(b"ccopy_reg\n_reconstructor\n(<class>p0\ng0\nNtR(db.", CAT)),
        "built twice": (POLICY, _opcodes(CAT, {"depth": 1}, {"depth": 2})),
        "slots": (CONTRACT, _opcodes(CAT, (None, {"_object": ADDRESS}))),
        "itself in its state": (POLICY, _raw(b"\x80\x02<class>)\x81q\0}X\x05\0\0\0depthh\0sb.", CAT)),
        "called": (POLICY, _reduction(CAT, lambda reduction, path: (_class(CAT), (1,)))),
        "referenced": (POLICY, lambda path: pickle.dumps(FunctionTransformer(_class(CAT)))),
        "the C object itself": (POLICY, lambda path: _opcodes("catboost.core._CatBoost", {"a": 1})(path)),
    },
}

CHILD = """
import gc, io, json, sys, warnings
import safeload
from safeload.errors import CodecError, PolicyError
from testkit.estimators import X
path = sys.argv[1]
def hook(event, arguments):
    if event == "open" and str(arguments[0]) == path:
        print(json.dumps(["opened", path]), flush=True)
sys.addaudithook(hook)
warnings.simplefilter("ignore")
for line in sys.stdin:
    name, data = json.loads(line)
    print(json.dumps([name, None]), flush=True)  # the last one, if the process ends
    try:
        loaded = safeload.load_untrusted(io.BytesIO(bytes.fromhex(data)), policy=safeload.Policy.default())
        outcome = "loaded"
        try:
            (loaded.transform if hasattr(loaded, "transform") else loaded.predict)(X)
        except Exception as error:
            outcome += f", then {error!r}"
        del loaded
    except CodecError as error:
        outcome = "library" if error.__cause__ else "contract"
    except PolicyError as error:
        outcome = "policy"
    gc.collect()
    print(json.dumps([name, outcome]), flush=True)
"""


@pytest.fixture(scope="module", params=LIBRARIES)
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """What became of each attack on one library."""
    name: str = request.param
    library(name)
    path = str(tmp_path_factory.mktemp("hostile") / "secret")
    os.mkfifo(path)  # whoever opens it, in C++ too, waits for ever
    lines = [json.dumps([attack, data(path).hex()]) for attack, (_, data) in ATTACKS[name].items()]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, path],
        cwd=Path(__file__).parent,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert done.returncode == 0, (done.returncode, said[-1:], done.stderr[-2000:])
    assert "opened" not in dict(said)
    return name, dict(said)


def test_every_attack_is_refused_before_the_library_sees_it(outcomes: tuple[str, dict[str, str]]) -> None:
    name, said = outcomes
    assert said == {attack: wall for attack, (wall, _) in ATTACKS[name].items()}


KEPT = ("best_iteration", "best_score", "name_valid_sets", "params", "pandas_categorical", "train_set_version")


def _load(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data), policy=Policy.default())


def test_what_belongs_to_the_data_of_training_is_not_taken_over() -> None:
    """C code writes a number for each row of a data set into a buffer that the state holds."""
    booster, data = fitted("lightgbm")["native, kept for training"]
    edits = {"_network": True, "_Booster__num_inner_eval": 10**9, "_Booster__num_dataset": 9}
    loaded = _load(forged(booster, type(booster), with_state(**edits)))
    taken = {name: value for name, value in vars(loaded).items() if name in vars(booster)}
    assert taken["_network"] is False
    assert taken["_Booster__num_dataset"] == 0
    assert taken["_Booster__inner_predict_buffer"] == []
    assert "_Booster__num_inner_eval" not in taken
    assert {name: taken[name] for name in KEPT} == {name: vars(booster)[name] for name in KEPT}
    assert (loaded.predict(data) == booster.predict(data)).all()


def test_a_predictor_that_training_went_on_from_is_empty() -> None:
    library("lightgbm")
    loaded = _load(forged(_genuine(PREDICTOR), _class(PREDICTOR), with_state(num_class=1)))
    assert vars(loaded) == {}


def test_a_booster_of_a_class_of_ones_own_needs_its_model_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """lightgbm itself takes None, and crashes at predict."""
    booster, _ = fitted("lightgbm")["native"]
    monkeypatch.setitem(globals(), "_Derived", type("_Derived", (type(booster),), {"__module__": __name__}))
    data = b"\x80\x02" + f"c{__name__}\n_Derived\n".encode() + b")\x81}X\x07\0\0\0_handleNsb."
    with pytest.raises(CodecError, match="is not one that its library writes"):
        safeload.load_untrusted(io.BytesIO(data), policy=Policy.default().allow(f"{__name__}._Derived"))


@pytest.mark.parametrize("threads", [1, -1, None, 64])
def test_an_honest_number_of_threads_is_taken(threads: int | None) -> None:
    model, _ = fitted("lightgbm")["class weights"]
    assert _load(forged(model, type(model), with_state(n_jobs=threads))).n_jobs == threads


FUZZER = """
import io, pickle, random, sys, warnings
import numpy as np
import safeload
from safeload.errors import SafeloadError
from testkit.boosters import fitted, predictions
from testkit.forging import forged, with_state

warnings.simplefilter("ignore")
library, seed, turns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
models = [(model, data) for model, data in fitted(library).values() if data is not None]
values = (0, 1, -1, 2**31, -2**63, 10**9, 0.5, float("nan"), None, True, "", "tree\\n", "x", b"", b"CBM1", [], [1.0],
          [[1.0]], [[[1.0]]], {}, {"a": 1}, (), bytearray(b"{L"), np.arange(3.0), np.float64(1.0), len, object)
policy = safeload.Policy.default()
loaded = refused = 0
for turn in range(turns):
    model, data = chance.choice(models)
    inner = getattr(model, "_Booster", None)
    target = inner if inner is not None and chance.random() < 0.5 else model
    state = target.__reduce_ex__(4)[2]
    names = [*state, "handle", "_handle", "_Booster", "_object", "predict", "__model", "_network", "n_jobs"]
    edits = {chance.choice(names): chance.choice((*values, ...)) for _ in range(chance.choice((1, 1, 2)))}
    try:
        stream = forged(model, type(target), with_state(**edits), chance.choice((2, 4, 5)))
        result = safeload.load_untrusted(io.BytesIO(stream), policy=policy)
    except (SafeloadError, pickle.PicklingError):
        refused += 1
        continue
    loaded += 1
    try:
        predictions(result, data)
    except Exception:
        pass
print(loaded, refused)
"""


def test_one_text_is_not_read_by_many_boosters() -> None:
    library("lightgbm")
    text = fitted("lightgbm")["native"][0].model_to_string().encode()
    handle = b"}\x8c\x07_handle"
    first = b"clightgbm.basic\nBooster\n\x94)\x81" + handle + b"X" + struct.pack("<I", len(text)) + text + b"\x94sb"
    data = b"\x80\x04](" + first + (b"h\x00)\x81" + handle + b"h\x01sb") * 200 + b"e."
    with pytest.raises(safeload.errors.UnsafeStreamError, match="used for another"):
        safeload.load_untrusted(io.BytesIO(data), policy=Policy.default())


@pytest.mark.parametrize("name", LIBRARIES)
def test_changed_states_never_crash_the_process(name: str) -> None:
    library(name)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FUZZER, name, "0", "300"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded, refused = map(int, done.stdout.splitlines()[-1].split())
    assert loaded > 20
    assert refused > 20
