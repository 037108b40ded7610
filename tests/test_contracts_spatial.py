"""scipy's k-d trees answer as they did, and none of their nodes points elsewhere."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from scipy.spatial import KDTree, cKDTree

import safeload
from safeload.errors import CodecError, DisallowedGlobalError, SafeloadError
from testkit.forging import forged, forged_joblib
from testkit.mutations import assert_no_crash

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = (cKDTree, KDTree)
CHANCE = np.random.default_rng(0)
POINTS = np.round(CHANCE.random((40, 3)), 1)  # with points that are the same, and ties
NODE = np.dtype([(name, "f8" if name == "split" else "i8") for name in (
    "split_dim", "children", "split", "start", "end", "pointer_less", "pointer_greater", "less", "greater"
)])  # fmt: skip
PARTS = ("buffer", "data", "rows", "width", "leafsize", "most", "least", "order", "box", "boxes")


class Unmet:
    """Of this class no object is pickled: nothing is changed."""


def _load(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data))


def _edited(**edits: Any) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """The parts of the state that are named, by a value or by a function of what they were."""

    def change(reduction: tuple[Any, ...]) -> tuple[Any, ...]:
        parts = dict(zip(PARTS, reduction[2], strict=True))
        for name, value in edits.items():
            parts[name] = value(parts[name]) if callable(value) else value
        return (*reduction[:2], tuple(parts.values()))

    return change


def _refused(tree: Any, change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> None:
    for write in (forged, forged_joblib):
        with pytest.raises(CodecError):
            _load(write(tree, type(tree), change))


def _nodes(**edits: tuple[Any, Any]) -> Callable[[Any], Any]:
    """The buffer with fields of single nodes changed: ``name=(node, value)``."""

    def change(buffer: Any) -> Any:
        nodes = np.frombuffer(buffer.tobytes(), NODE).copy()
        for name, (node, value) in edits.items():
            nodes[name][node] = value
        return np.frombuffer(nodes.tobytes(), "S1")

    return change


# --- what is right ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options",
    [{}, {"balanced_tree": False}, {"compact_nodes": False}, {"boxsize": 1.5}, {"boxsize": [2, 0, 3]}, {"leafsize": 1}],
)
@pytest.mark.parametrize("rows", [0, 1, 2, 40])
def test_a_tree_answers_as_it_did(kind: Any, options: dict[str, Any], rows: int) -> None:
    tree = kind(POINTS[:rows], **options)
    asked = CHANCE.random((30, 3))
    for protocol in (2, 3, 4, 5):
        for write in (forged, forged_joblib):
            loaded = _load(write(tree, Unmet, lambda r: r, protocol))
            assert type(loaded) is kind
            for one, other in zip(loaded.query(asked, 7), tree.query(asked, 7), strict=True):
                np.testing.assert_array_equal(one, other)
            assert loaded.query_pairs(0.3) == tree.query_pairs(0.3)
            assert loaded.query_ball_tree(tree, 0.2) == tree.query_ball_tree(tree, 0.2)
            assert loaded.count_neighbors(tree, 0.4) == tree.count_neighbors(tree, 0.4)


def test_points_that_are_all_the_same_make_a_leaf() -> None:
    tree = cKDTree(np.ones((100, 2)), leafsize=2)
    assert _load(forged(tree, Unmet, lambda r: r)).query([1, 1])[0] == 0


def test_no_other_object_shares_the_memory_of_a_tree() -> None:
    tree = cKDTree(POINTS)
    buffer, data, *_, order, _box, _boxes = tree.__getstate__()
    saved = io.BytesIO()
    shared = [buffer, data, order]

    def same(reduction: tuple[Any, ...]) -> tuple[Any, ...]:
        state = list(reduction[2])
        state[0], state[1], state[7] = shared
        return (*reduction[:2], tuple(state))

    saved.write(forged([tree, *shared], cKDTree, same))
    loaded, *others = _load(saved.getvalue())
    for other in others:
        other[...] = other.dtype.type(0)
    np.testing.assert_array_equal(loaded.query(POINTS, 3)[1], tree.query(POINTS, 3)[1])
    assert not loaded.data.flags.writeable


# --- what is not --------------------------------------------------------------------------------

FAR = 2**40
ITEMS: list[dict[str, Any]] = [
    {"buffer": lambda b: b[:-1]},
    {"buffer": lambda b: b[:72]},
    {"buffer": lambda b: b[:0]},
    {"buffer": lambda b: b.view("u1")},
    {"buffer": lambda b: b[::2]},
    {"buffer": lambda b: b.tobytes()},
    {"buffer": lambda b: b.reshape(-1, 72)},
    {"buffer": lambda b: np.concatenate((b, b[:72]))},
    {"buffer": None},
    {"data": lambda d: d.astype("f4")},
    {"data": lambda d: d[:-1]},
    {"data": lambda d: d[:, :2]},
    {"data": lambda d: d.ravel()},
    {"data": lambda d: np.asfortranarray(d)},
    {"data": lambda d: np.where(d == d[0, 0], np.nan, d)},
    {"data": lambda d: d + 1},
    {"data": lambda d: d.astype(object)},
    {"data": lambda d: d.tolist()},
    {"rows": 41},
    {"rows": 39},
    {"rows": FAR},
    {"rows": -1},
    {"rows": 40.0},
    {"rows": np.int64(40)},
    {"width": 2},
    {"width": 4},
    {"width": FAR},
    {"width": True},
    {"leafsize": 0},
    {"leafsize": -1},
    {"leafsize": 2**63},
    {"leafsize": 1.5},
    {"leafsize": None},
    {"most": lambda m: m[:2]},
    {"most": lambda m: m + 1},
    {"most": lambda m: m * np.nan},
    {"most": None},
    {"least": lambda m: m - 1},
    {"least": lambda m: m.astype("f4")},
    {"least": lambda m: np.zeros(0)},
    {"order": lambda o: o[:-1]},
    {"order": lambda o: o + 1},
    {"order": lambda o: o - 1},
    {"order": lambda o: o * 0},
    {"order": lambda o: np.where(o == 0, FAR, o)},
    {"order": lambda o: o.astype("i4")},
    {"order": lambda o: o.astype("f8")},
    {"order": lambda o: o.astype("u8")},
    {"order": lambda o: o.tolist()},
    {"box": np.full(3, 2.0)},
    {"boxes": np.full(6, 2.0)},
    {"box": np.full(3, 2.0), "boxes": np.full(6, 2.0)},
    {"box": np.full(2, 2.0), "boxes": np.array([2, 2, 1, 1.0])},
    {"box": np.full(3, 0.5), "boxes": np.repeat([0.5, 0.25], 3)},  # points lie outside
    {"box": np.full(3, np.inf), "boxes": np.full(6, np.inf)},
    {"box": np.full(3, np.nan), "boxes": np.full(6, np.nan)},
    {"box": 2.0, "boxes": np.repeat([2.0, 1.0], 3)},
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("edits", ITEMS)
def test_a_tree_is_made_of_parts_that_fit(kind: Any, edits: dict[str, Any]) -> None:
    _refused(kind(POINTS, leafsize=4), _edited(**edits))


NUMBERS = (-2, -1, 0, 1, 2, 3, 40, 10_000, FAR, -FAR, 2**63 - 1, -(2**63))


@pytest.mark.parametrize("name", ["split_dim", "children", "start", "end", "less", "greater"])
@pytest.mark.parametrize("value", NUMBERS)
def test_no_node_points_outside_of_the_tree(name: str, value: int) -> None:
    tree = cKDTree(POINTS, leafsize=4)
    was = np.frombuffer(tree.__getstate__()[0].tobytes(), NODE)
    for node in range(len(was)):
        leaf = was["split_dim"][node] == -1
        harmless = (leaf and name in ("less", "greater")) or (not leaf and name == "split_dim" and 0 <= value < 3)
        if was[name][node] != value and not harmless:
            _refused(tree, _edited(buffer=_nodes(**{name: (node, value)})))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_node_is_split_at_a_number(value: float) -> None:
    _refused(cKDTree(POINTS, leafsize=4), _edited(buffer=_nodes(split=(0, value))))


def test_two_nodes_do_not_share_a_child() -> None:
    tree = cKDTree(POINTS, leafsize=4)
    nodes = np.frombuffer(tree.__getstate__()[0].tobytes(), NODE)
    _refused(tree, _edited(buffer=_nodes(greater=(0, nodes["less"][0]))))
    _refused(tree, _edited(buffer=_nodes(less=(0, nodes["greater"][0]), greater=(0, nodes["less"][0]))))


def test_where_a_pointer_stood_the_file_is_not_asked() -> None:
    tree = cKDTree(POINTS, leafsize=4)
    change = _edited(buffer=_nodes(pointer_less=(slice(None), 0x41414141), pointer_greater=(slice(None), -1)))
    loaded = _load(forged(tree, cKDTree, change))
    np.testing.assert_array_equal(loaded.query(POINTS, 5)[1], tree.query(POINTS, 5)[1])


def _chain(points: int) -> tuple[Any, ...]:
    """The state of a tree that splits off one point a level."""
    nodes = np.zeros(2 * points - 1, NODE)
    for level in range(points - 1):
        nodes[2 * level] = (0, points - level, level + 0.5, level, points, 0, 0, 2 * level + 1, 2 * level + 2)
        nodes[2 * level + 1] = (-1, 1, 0, level, level + 1, 0, 0, 0, 0)
    nodes[-1] = (-1, 1, 0, points - 1, points, 0, 0, 0, 0)
    data = np.arange(float(points))[:, None]
    return (
        np.frombuffer(nodes.tobytes(), "S1"), data, points, 1, 1, data[-1].copy(), data[0].copy(),
        np.arange(points), None, None,
    )  # fmt: skip


def test_no_tree_is_deeper_than_the_stack() -> None:
    tree = cKDTree([[0.0]])
    shallow = _load(forged(tree, cKDTree, lambda r: (*r[:2], _chain(900))))
    assert shallow.query([450.2])[1] == 450
    assert len(shallow.query_pairs(1.0)) == 899
    for points in (1_002, 300_000):
        state = _chain(points)
        _refused(tree, _edited(**dict(zip(PARTS, state, strict=True))))


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e-13, 1e301])
def test_no_query_steps_through_a_tiny_box(size: float) -> None:
    box = np.full(3, size)
    tree = cKDTree(POINTS * 0, boxsize=1)
    _refused(tree, _edited(box=box, boxes=np.concatenate((box, box / 2))))


ORDERS: dict[str, Callable[[tuple[Any, ...]], tuple[Any, ...]]] = {
    "no state": lambda r: r[:2],
    "an empty state": lambda r: (*r[:2], ()),
    "a dict": lambda r: (*r[:2], {}),
    "nine items": lambda r: (*r[:2], r[2][:9]),
    "eleven items": lambda r: (*r[:2], (*r[2], None)),
    "a list": lambda r: (*r[:2], list(r[2])),
    "slots": lambda r: (*r[:2], (None, {"data": r[2][1]})),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ORDERS)
def test_a_tree_is_made_in_one_way_only(kind: Any, how: str) -> None:
    with pytest.raises(SafeloadError):
        _load(forged(kind(POINTS), kind, ORDERS[how]))


def test_the_class_is_not_left_where_a_model_would_call_it() -> None:
    from sklearn.preprocessing import FunctionTransformer

    buffer = io.BytesIO()
    joblib.dump(FunctionTransformer(func=KDTree), buffer)
    with pytest.raises(DisallowedGlobalError):
        _load(buffer.getvalue())


FUZZER = """
import io, random, sys
import numpy as np
from scipy.spatial import KDTree, cKDTree
import safeload
from safeload.errors import SafeloadError
from testkit.forging import forged

chance = random.Random(int(sys.argv[1]))
points = np.round(np.random.default_rng(1).random((60, 2)), 2)
trees = [kind(points, leafsize=size, boxsize=box) for kind in (KDTree, cKDTree) for size in (1, 8) for box in (None, 2)]
words = [0, 1, 2, 3, 5, 59, 60, 61, 2**31, 2**62, -1, -2, -(2**63)]

def changed(reduction):
    state = list(reduction[2])
    which = chance.choice([0, 0, 0, 1, 4, 5, 6, 7, 8, 9])
    part = state[which]
    if isinstance(part, np.ndarray):
        part = part.copy()
        raw = part.view("i8" if part.dtype.itemsize == 8 or part.size % 8 == 0 else "u1").reshape(-1)
        for _ in range(chance.randrange(1, 3)):
            at = chance.randrange(raw.size)
            raw[at] = chance.choice([*words, int(raw[at]) + 1, int(raw[at]) - 1, int(raw[chance.randrange(raw.size)])])
        state[which] = part
    elif isinstance(part, int):
        state[which] = chance.choice(words)
    return (*reduction[:2], tuple(state))

loaded = refused = 0
for turn in range(int(sys.argv[2])):
    tree = chance.choice(trees)
    data = forged(tree, type(tree), changed)
    try:
        made = safeload.load_untrusted(io.BytesIO(data))
    except SafeloadError:
        refused += 1
        continue
    loaded += 1
    made.query(points, 5); made.query_pairs(0.1); made.query_ball_point(points, 0.2); made.count_neighbors(tree, 0.3)
    made.sparse_distance_matrix(tree, 0.05); made.query_ball_tree(tree, 0.1); made.tree
print(loaded, refused)
"""


@pytest.mark.parametrize("seed", range(2))
def test_changed_states_never_crash_the_process(seed: int) -> None:
    assert_no_crash(FUZZER, seed, 600)
