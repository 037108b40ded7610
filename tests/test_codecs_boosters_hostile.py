"""What a signer who means ill could put where a booster's own file or its wrapper belongs.

pytestmark = pytest.mark.once

As in test_boosters_hostile.py another process loads it, so that an attack that succeeds is a signal.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sklearn.preprocessing import StandardScaler

import safeload
from safeload import Policy
from safeload.codecs.boosters_halves import CATBOOST, LIGHTGBM, XGBOOST
from safeload.errors import CodecError, DisallowedGlobalError, SafeloadError, VerificationError
from test_boosters_hostile import ADDRESS
from testkit.boosters import LIBRARIES, fitted, library
from testkit.members import signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Keys

    Members = list[tuple[str, str, bytes]]

HALVES = {half.name: half for half in (XGBOOST, LIGHTGBM, CATBOOST)}
MODELS = {"xgboost": "two classes", "lightgbm": "class weights", "catboost": "multi-class"}
# What refuses: a contract or a codec of ours, the policy, or the library.
CONTRACT, POLICY, LIBRARY = "contract", "policy", "library"


def native(name: str, model: str = "") -> bytes:
    return bytes(HALVES[name].native(fitted(name)[model or MODELS[name]][0]))


def rest(name: str, model: str = "") -> dict[str, Any]:
    return HALVES[name].rest(fitted(name)[model or MODELS[name]][0])


def members(name: str, data: bytes | None = None, wrapper: Any = None, **edits: Any) -> Members:
    """A genuine model's, with other bytes, another wrapper, or other items beside it."""
    kept = {**rest(name), **edits} if wrapper is None else wrapper
    stream = kept if isinstance(kept, bytes) else pickle.dumps(kept)
    data = native(name) if data is None else data
    return [(HALVES[name].file, f"{name}.model", data), ("wrapper.joblib", f"{name}.wrapper", stream)]


def document(change: Callable[[dict[str, Any]], Any], model: str = "two classes") -> bytes:
    """A model of xgboost as JSON, changed."""
    booster = fitted("xgboost")[model][0]
    booster = booster.get_booster() if hasattr(booster, "get_booster") else booster
    found = json.loads(bytes(booster.save_raw("json")))
    change(found)
    return json.dumps(found, separators=(",", ":")).encode()


def tree(key: str, at: int, value: Any, model: str = "two classes") -> bytes:
    def change(found: dict[str, Any]) -> None:
        booster = found["learner"]["gradient_booster"]
        booster.get("gbtree", booster)["model"]["trees"][0][key][at] = value

    return document(change, model)


def learner(*path: str, value: Any, model: str = "two classes") -> bytes:
    def change(found: dict[str, Any]) -> None:
        part = found["learner"]
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = value

    return document(change, model)


def _weigh(booster: dict[str, Any]) -> None:
    """One weight where each tree has one: xgboost 3.2 and 3.4 keep them in other places."""
    booster.get("model", booster)["weight_drop"] = [1.0]


def text(pattern: str, by: str, model: str = "") -> bytes:
    """A model of lightgbm with one place changed, and the sizes of its trees as they are then."""
    original = native("lightgbm", model).decode()
    changed, count = re.subn(pattern, by, original, count=1, flags=re.MULTILINE)
    assert count == 1
    begin = changed.index("\nTree=") + 1
    trees = re.split(r"(?=^Tree=)", changed[begin : changed.index("end of trees\n")], flags=re.MULTILINE)[1:]
    sizes = " ".join(str(len(one)) for one in trees)
    return re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", changed, flags=re.MULTILINE).encode()


def _set(wrapper: Any, **attributes: Any) -> Any:
    wrapper.__dict__.update(attributes)
    return wrapper


XGB: dict[str, tuple[str, Callable[[], Members]]] = {
    "nothing": (CONTRACT, lambda: members("xgboost", b"")),
    "cut off": (CONTRACT, lambda: members("xgboost", native("xgboost")[:-1])),
    "longer": (CONTRACT, lambda: members("xgboost", native("xgboost") + b"x")),
    "a snapshot of a pickle": (
        CONTRACT,
        lambda: members("xgboost", bytes(fitted("xgboost")["native"][0].__getstate__()["handle"])),
    ),
    "nested without end": (CONTRACT, lambda: members("xgboost", b"{L" + bytes(7) + b"\x01a" + b"[" * 1_000_000)),
    "objects without end": (CONTRACT, lambda: members("xgboost", (b"{L" + bytes(7) + b"\x01a") * 1_000_000)),
    "documents without end": (CONTRACT, lambda: members("xgboost", b'{"learner":' + b"[" * 1_000_000)),
    "a length beyond the file": (
        CONTRACT,
        lambda: members(
            "xgboost", native("xgboost").replace(b"left_children[$l#L\0\0", b"left_children[$l#L\x7f\xff", 1)
        ),
    ),
    "a key twice": (
        CONTRACT,
        lambda: members("xgboost", document(lambda found: None).replace(b'"version"', b'"learner":{},"version"')),
    ),
    "a path": (CONTRACT, lambda: members("xgboost", b"/etc/passwd")),
    "an older format": (CONTRACT, lambda: members("xgboost", b"binf" + bytes(200))),
    "another library's": (CONTRACT, lambda: members("xgboost", native("lightgbm"))),
    "a pickle": (CONTRACT, lambda: members("xgboost", pickle.dumps({"learner": 1}))),
    "a child outside": (CONTRACT, lambda: members("xgboost", tree("left_children", 0, 1 << 20))),
    "a child below 0": (CONTRACT, lambda: members("xgboost", tree("left_children", 0, -5))),
    "its own child": (CONTRACT, lambda: members("xgboost", tree("left_children", 0, 0))),
    "a child of two": (CONTRACT, lambda: members("xgboost", tree("right_children", 0, 1))),
    "a leaf with one child": (CONTRACT, lambda: members("xgboost", tree("left_children", -1, 1))),
    "a feature outside": (CONTRACT, lambda: members("xgboost", tree("split_indices", 0, 1 << 20))),
    "a feature below 0": (CONTRACT, lambda: members("xgboost", tree("split_indices", 0, -1))),
    "a parent elsewhere": (CONTRACT, lambda: members("xgboost", tree("parents", 1, 3))),
    "a split of no kind": (CONTRACT, lambda: members("xgboost", tree("split_type", 0, 7))),
    "a set of nothing": (CONTRACT, lambda: members("xgboost", tree("split_type", 0, 1))),
    "a set outside": (CONTRACT, lambda: members("xgboost", tree("categories_segments", 0, 99, "categories"))),
    "a set that is long": (CONTRACT, lambda: members("xgboost", tree("categories_sizes", 0, 1 << 40, "categories"))),
    "a category that is large": (CONTRACT, lambda: members("xgboost", tree("categories", 0, 1 << 30, "categories"))),
    "a vector outside": (CONTRACT, lambda: members("xgboost", tree("right_children", -1, 1 << 20, "two outputs"))),
    "a text for a node": (CONTRACT, lambda: members("xgboost", tree("left_children", 0, "1"))),
    "less features": (CONTRACT, lambda: members("xgboost", learner("learner_model_param", "num_feature", value="1"))),
    "no feature": (CONTRACT, lambda: members("xgboost", learner("learner_model_param", "num_feature", value="0"))),
    "a class outside": (
        CONTRACT,
        lambda: members("xgboost", learner("gradient_booster", "model", "tree_info", value=[9, 9, 9])),
    ),
    "rounds outside": (
        CONTRACT,
        lambda: members("xgboost", learner("gradient_booster", "model", "iteration_indptr", value=[0, 1, 2, 99])),
    ),
    "more trees than there are": (
        CONTRACT,
        lambda: members(
            "xgboost", learner("gradient_booster", "model", "gbtree_model_param", "num_trees", value="1000000000")
        ),
    ),
    "no weight for a tree": (
        CONTRACT,
        lambda: members("xgboost", document(lambda found: _weigh(found["learner"]["gradient_booster"]), "dropout")),
    ),
    "one weight in a place of another version": (
        CONTRACT,
        lambda: members("xgboost", learner("gradient_booster", "model", "weight_drop", value=[1.0])),
    ),
    "few weights": (
        CONTRACT,
        lambda: members("xgboost", learner("gradient_booster", "model", "weights", value=[1.0], model="linear")),
    ),
    "a configuration that is none": (CONTRACT, lambda: members("xgboost", config="{")),
    "a configuration without end": (CONTRACT, lambda: members("xgboost", config="[" * 1_000_000)),
    "an address for a configuration": (CONTRACT, lambda: members("xgboost", config=ADDRESS)),
    "a list for a configuration": (CONTRACT, lambda: members("xgboost", config="[]")),
    "a scaler for a wrapper": (CONTRACT, lambda: members("xgboost", wrapper={"wrapper": StandardScaler()})),
    "a booster for a wrapper": (
        CONTRACT,
        lambda: members("xgboost", wrapper={"wrapper": fitted("xgboost")["native"][0]}),
    ),
    "a wrapper of another library": (CONTRACT, lambda: members("xgboost", wrapper=rest("catboost"))),
    "a list": (CONTRACT, lambda: members("xgboost", wrapper=[])),
    "another item": (CONTRACT, lambda: members("xgboost", path="secret")),
    "a call": (POLICY, lambda: members("xgboost", wrapper=b"\x80\x02cos\nsystem\nU\x06exit 1\x85R.")),
    "too many classes": (CONTRACT, lambda: members("xgboost", wrapper=_many_classes())),
    "no bytes": (CONTRACT, lambda: members("xgboost")[1:]),
    "two of them": (CONTRACT, lambda: [*members("xgboost"), ("other.ubj", "xgboost.model", native("xgboost"))]),
    "the other way round": (CONTRACT, lambda: members("xgboost")[::-1]),
    "a wrapper of another kind": (
        CONTRACT,
        lambda: [members("xgboost")[0], ("wrapper.joblib", "xgboost.other", pickle.dumps({}))],
    ),
}


def _many_classes() -> dict[str, Any]:
    kept = rest("xgboost")
    return {**kept, "wrapper": _set(kept["wrapper"], n_classes_=1 << 40)}


def _light(**attributes: Any) -> dict[str, Any]:
    kept = rest("lightgbm")
    return {**kept, "wrapper": _set(kept["wrapper"], **attributes)}


LGB: dict[str, tuple[str, Callable[[], Members]]] = {
    "nothing": (CONTRACT, lambda: members("lightgbm", b"")),
    "cut off": (CONTRACT, lambda: members("lightgbm", native("lightgbm")[:3_000])),
    "a header alone": (CONTRACT, lambda: members("lightgbm", b"tree\nversion=v4\n")),
    "a zero": (CONTRACT, lambda: members("lightgbm", native("lightgbm").replace(b"\nend of p", b"\0end of p"))),
    "no text": (LIBRARY, lambda: members("lightgbm", native("lightgbm") + b"\xff")),
    "another library's": (CONTRACT, lambda: members("lightgbm", native("xgboost"))),
    "sizes that are not": (
        CONTRACT,
        lambda: members("lightgbm", native("lightgbm").replace(b"tree_sizes=1", b"tree_sizes=2")),
    ),
    "a size below 0": (
        CONTRACT,
        lambda: members("lightgbm", re.sub(rb"tree_sizes=\d+", b"tree_sizes=-9", native("lightgbm"))),
    ),
    "a child outside": (CONTRACT, lambda: members("lightgbm", text(r"^left_child=\S+", "left_child=100000"))),
    "a leaf outside": (CONTRACT, lambda: members("lightgbm", text(r"^left_child=\S+", "left_child=-100000"))),
    "its own child": (CONTRACT, lambda: members("lightgbm", text(r"^left_child=\S+", "left_child=0"))),
    "a child that is none": (CONTRACT, lambda: members("lightgbm", text(r"^left_child=\S+", "left_child=x"))),
    "a feature outside": (CONTRACT, lambda: members("lightgbm", text(r"^split_feature=\d+", "split_feature=99999"))),
    "a feature below 0": (CONTRACT, lambda: members("lightgbm", text(r"^split_feature=\d+", "split_feature=-1"))),
    "more leaves": (CONTRACT, lambda: members("lightgbm", text(r"^num_leaves=\d+", "num_leaves=100000000"))),
    "no leaf": (CONTRACT, lambda: members("lightgbm", text(r"^num_leaves=\d+", "num_leaves=0"))),
    "less values": (CONTRACT, lambda: members("lightgbm", text(r"^leaf_value=\S+ ", "leaf_value="))),
    "a value that is none": (CONTRACT, lambda: members("lightgbm", text(r"^leaf_value=\S+", "leaf_value=-"))),
    "a weight that is none": (CONTRACT, lambda: members("lightgbm", text(r"^leaf_weight=\S+", "leaf_weight=e"))),
    "a key twice": (CONTRACT, lambda: members("lightgbm", text(r"^num_cat=0$", "num_cat=0\nnum_cat=1"))),
    "no key": (CONTRACT, lambda: members("lightgbm", text(r"^decision_type=.*\n", ""))),
    "sets that are not there": (CONTRACT, lambda: members("lightgbm", text(r"^num_cat=0$", "num_cat=1"))),
    "a split by one of them": (CONTRACT, lambda: members("lightgbm", text(r"^decision_type=2", "decision_type=1"))),
    "a set outside": (
        CONTRACT,
        lambda: members("lightgbm", text(r"^cat_boundaries=0 1$", "cat_boundaries=0 9", "labels and categories")),
    ),
    "a set of another number": (
        CONTRACT,
        lambda: members("lightgbm", text(r"^threshold=0", "threshold=5", "labels and categories")),
    ),
    "linear in what is outside": (
        CONTRACT,
        lambda: members("lightgbm", text(r"^leaf_features=(\s*)\d+", r"leaf_features=\g<1>9", "linear trees")),
    ),
    "more classes": (CONTRACT, lambda: members("lightgbm", text(r"^num_class=3", "num_class=30000"))),
    "more trees for each": (
        CONTRACT,
        lambda: members("lightgbm", text(r"^num_tree_per_iteration=3", "num_tree_per_iteration=9")),
    ),
    "an objective of more classes": (
        CONTRACT,
        lambda: members("lightgbm", text(r"num_class:3", "num_class:30000")),
    ),
    "more features": (CONTRACT, lambda: members("lightgbm", text(r"^max_feature_idx=3", "max_feature_idx=2000000000"))),
    "a parameter without a colon": (
        CONTRACT,
        lambda: members("lightgbm", text(r"^\[bagging_seed: 3", "[bagging_seed")),
    ),
    "an address": (CONTRACT, lambda: members("lightgbm", booster={**rest("lightgbm")["booster"], "_handle": ADDRESS})),
    "the address of a network": (CONTRACT, lambda: members("lightgbm", booster={"train_set": 1})),
    "a list beside it": (CONTRACT, lambda: members("lightgbm", booster=[])),
    "a scaler for a wrapper": (CONTRACT, lambda: members("lightgbm", wrapper={"wrapper": StandardScaler()})),
    "a wrapper of more features": (CONTRACT, lambda: members("lightgbm", wrapper=_light(_n_features=2**40))),
    "a wrapper of more classes": (CONTRACT, lambda: members("lightgbm", wrapper=_light(_n_classes=10**6))),
    "a million threads": (CONTRACT, lambda: members("lightgbm", wrapper=_light(n_jobs=10**6))),
    "of another model": (CONTRACT, lambda: members("lightgbm", native("lightgbm", "labels and categories"))),
}

CAT: dict[str, tuple[str, Callable[[], Members]]] = {
    "nothing": (CONTRACT, lambda: members("catboost", b"")),
    "the beginning": (LIBRARY, lambda: members("catboost", b"CBM1")),
    "cut off": (LIBRARY, lambda: members("catboost", native("catboost")[:-500])),
    "a path": (CONTRACT, lambda: members("catboost", b"/etc/passwd")),
    "another library's": (CONTRACT, lambda: members("catboost", native("lightgbm"))),
    "a document": (CONTRACT, lambda: members("catboost", b'{"oblivious_trees": []}')),
    "no wrapper": (CONTRACT, lambda: members("catboost", wrapper={})),
    "None for a wrapper": (CONTRACT, lambda: members("catboost", wrapper={"wrapper": None})),
    "a scaler for a wrapper": (CONTRACT, lambda: members("catboost", wrapper={"wrapper": StandardScaler()})),
    "deviations of a model that has none": (
        CONTRACT,
        lambda: members("catboost", native("catboost", "categories"), wrapper=rest("catboost", "uncertainty")),
    ),
}
ATTACKS = {"xgboost": XGB, "lightgbm": LGB, "catboost": CAT}

CHILD = """
import gc, json, sys, warnings
import safeload
from safeload.errors import CodecError, PolicyError, UnsafeFileError
from testkit.estimators import X
warnings.simplefilter("ignore")
for line in sys.stdin:
    name, path = json.loads(line)
    print(json.dumps([name, None]), flush=True)  # the last one, if the process ends
    try:
        loaded = safeload.load(path, trust=sys.argv[1])
        outcome = "loaded"
        try:
            loaded.predict(X)
        except Exception as error:
            outcome += f", then {error!r}"
        del loaded
    except CodecError as error:
        outcome = "library" if error.__cause__ else "contract"
    except UnsafeFileError as error:
        outcome = "contract"
    except PolicyError as error:
        outcome = "policy"
    gc.collect()
    print(json.dumps([name, outcome]), flush=True)
"""


@pytest.mark.parametrize("name", LIBRARIES)
def test_every_attack_is_refused_before_the_library_follows_it(name: str, tmp_path: Path, team: Keys) -> None:
    library(name)
    lines = []
    for number, (attack, (_, made)) in enumerate(ATTACKS[name].items()):
        path = signed(tmp_path / f"{number}.safeload", team.key, made())
        lines.append(json.dumps([attack, str(path)]))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(team.pub)],
        cwd=Path(__file__).parent,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    outcomes = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert done.returncode == 0, (done.returncode, outcomes[-1:], done.stderr[-2000:])
    assert dict(outcomes) == {attack: wall for attack, (wall, _) in ATTACKS[name].items()}


@pytest.mark.parametrize("name", LIBRARIES)
def test_what_is_changed_afterwards_is_noticed(name: str, team: Keys) -> None:
    file = io.BytesIO()
    manifest = safeload.dump(fitted(name)[MODELS[name]][0], file, signer=team.key)
    for member in manifest.members:
        data = bytearray(file.getvalue())
        data[4096 + member.offset + member.size // 2] ^= 1
        with pytest.raises(VerificationError):
            safeload.load(io.BytesIO(data), trust=team.pub)


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm", "catboost"])
def test_no_second_half_makes_up_for_a_policy(kind: str, tmp_path: Path, team: Keys) -> None:
    """A stream that names nothing needs no permission, and the bytes beside it do."""
    for stream in ({}, {"wrapper": None}, 1):
        path = signed(tmp_path / "m.safeload", team.key, members(kind, wrapper=pickle.dumps(stream)))
        with pytest.raises((DisallowedGlobalError, CodecError)) as caught:
            safeload.load(path, trust=team.pub, policy=Policy.untrusted())
        assert not caught.value.__cause__
    allowed = Policy.untrusted().allow("xgboost.sklearn.XGBClassifier", "lightgbm.sklearn.LGBMClassifier")
    path = signed(tmp_path / "m.safeload", team.key, members(kind))
    with pytest.raises(DisallowedGlobalError):
        safeload.load(path, trust=team.pub, policy=allowed)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_the_same_file_without_a_signature_is_looked_into_as_well(name: str, tmp_path: Path) -> None:
    data = tree("left_children", 0, 1 << 20) if name == "xgboost" else text(r"^left_child=\S+", "left_child=100000")
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(SafeloadError, match="is not one that its library writes"):
        safeload.load_untrusted(tmp_path / "m", policy=Policy.default())


FUZZER = """
import random, re, sys, warnings
import numpy as np
import xgboost
import safeload
from safeload.codecs import CODECS, Held, LoadOptions
from safeload.errors import SafeloadError
from safeload.limits import DEFAULT_LIMITS
from test_codecs_boosters_hostile import native
from testkit.estimators import X

warnings.simplefilter("ignore")
name, turns = sys.argv[1], int(sys.argv[2])
chance = random.Random(0)
models = {
    "xgboost": ["two classes", "dropout", "two outputs", "early stopping", "linear"],
    "lightgbm": ["class weights", "linear trees", "quantiles", "native"],
}[name]
genuine = [native(name, model) for model in models]
numbers = b"-1 0 1 5 100 1000000 -1000000 2147483647 9999999999 nan x -".split() + [b""]
options = LoadOptions(policy=safeload.Policy.default(), mmap_mode=None, limits=DEFAULT_LIMITS)
loaded = refused = 0
for turn in range(turns):
    data = bytearray(chance.choice(genuine))
    if name == "lightgbm" and turn % 4:
        places = [*re.finditer(rb"(?<=[ =])[-+.e0-9]+(?=[ \\n])", data)]
        place = chance.choice(places)
        by = chance.choice(numbers)
        if turn % 2:
            by = by[:len(place[0])].ljust(len(place[0]), b"0")  # so that the sizes of the trees stay
        data[place.start():place.end()] = by
    else:
        at, width = chance.randrange(len(data)), chance.choice((1, 2, 4, 8))
        data[at:at + width] = chance.choice((bytes(width), bytes([255]) * width, chance.randbytes(width)))
    held = Held("m", f"{name}.model", lambda: memoryview(data))
    try:
        model = CODECS[name].load([held], options)
    except SafeloadError:
        refused += 1
        continue
    loaded += 1
    try:
        if name == "xgboost":
            model.set_param({"nthread": 1})
            model.predict(xgboost.DMatrix(X[:9], nthread=1), validate_features=False)
        else:
            model.predict(X[:9], num_threads=1)
    except Exception:
        pass
print(loaded, refused)
"""


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_changed_files_never_crash_the_process(name: str) -> None:
    """Unlooked at, one in six ends it for xgboost, and every second for lightgbm."""
    library(name)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FUZZER, name, "300"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    loaded, refused = map(int, done.stdout.splitlines()[-1].split())
    assert loaded > 10
    assert refused > 100
