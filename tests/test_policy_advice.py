"""What is said of a name that a policy does not grant: how to allow it, unless it is dangerous."""

from __future__ import annotations

import functools
import io
import operator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import safeload
from safeload import Policy
from safeload.policy.advice import Advice, Risk, advise
from safeload.policy.known import DANGEROUS, LEFT_OUT, known
from safeload.policy.needs import DENIED_MAX, needs_of
from safeload.readers.observations import ArrayData, Fact, GlobalUse, Stream, Use

GADGETS = [
    tuple(line.split("\t")[:2])
    for line in (Path(__file__).parent / "data" / "gadgets.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
CALLED = Use.CALLED
MADE = Use.INSTANTIATED | Use.BUILT
KEPT = Use.REFERENCED
DEFAULT = Policy.default()


def used(path: str, use: Use, *, dotted: bool = False, **where: object) -> GlobalUse:
    module, _, name = path.partition(".") if dotted else path.rpartition(".")
    return GlobalUse(module, name, 0, use, module, name, **where)  # type: ignore[arg-type]


def advice(path: str, use: Use, *, dotted: bool = False) -> Advice:
    each = used(path, use, dotted=dotted)
    assert DEFAULT.denied(each), f"{path} is granted"
    return advise(each, DEFAULT.denied(each))


def stream(*globals_: GlobalUse, facts: tuple[Fact, ...] = ()) -> Stream:
    return Stream(0, 1, 4, globals_, facts, (), (), ())


def needs(*globals_: GlobalUse, facts: tuple[Fact, ...] = (), policy: Policy = DEFAULT) -> safeload.Needs:
    return needs_of(stream(*globals_, facts=facts), policy, file="m", artifact=False, complete=True)


def allowed(found: safeload.Needs, policy: Policy = DEFAULT) -> Policy:
    """What the lines to paste give."""
    return policy.allow(*found.allow).allow(*found.allow_call, use=("new", "build", "reference", "call"))


@pytest.mark.parametrize("use", [CALLED, MADE, KEPT, Use.FILLED, Use.SHAPED], ids=lambda use: use.words)
def test_no_gadget_is_ever_offered(use: Use) -> None:
    for module, name in GADGETS:
        path = f"{module}.{name}".replace("*", "anything")
        for dotted in (False, True):
            each = used(path, use, dotted=dotted)
            if denied := DEFAULT.denied(each):
                found = advise(each, denied)
                assert found.risk in {Risk.DANGEROUS, Risk.LEFT_OUT}, path
                assert found.instead, path
                assert not found.option, path


def test_no_gadget_is_offered_behind_somebodys_package() -> None:
    for module, name in GADGETS:
        each = GlobalUse("mypkg", f"{module}.{name}".replace("*", "anything"), 0, CALLED, "", "")
        assert not advise(each, CALLED).option, each.path


def test_every_entry_of_the_tables_is_meant_by_its_own_words() -> None:
    for entry in (*DANGEROUS, *LEFT_OUT):
        assert known(entry) == entry
        assert known(f"{entry}.anything") == entry
        assert known(f"{entry}_more") != entry
    assert not DANGEROUS.keys() & LEFT_OUT.keys()


def test_reasons_are_half_sentences_and_remedies_whole_ones() -> None:
    for reason in (*DANGEROUS.values(), *(words[0] for words in LEFT_OUT.values())):
        assert reason[0].islower()
        assert not reason.endswith(".")
    for _, instead in LEFT_OUT.values():
        assert instead[0].isupper()
        assert not instead.endswith(".")


@pytest.mark.parametrize(
    ("path", "use", "risk", "words"),
    [
        ("posix.system", CALLED, "dangerous", "starts programs"),
        ("builtins.eval", KEPT, "dangerous", "runs code"),
        ("builtins.setattr", CALLED, "dangerous", "hangs from an object"),
        ("operator.attrgetter", CALLED, "dangerous", "hangs from an object"),
        ("joblib.load", KEPT, "dangerous", "unpickles"),
        ("numpy.load", CALLED, "dangerous", "unpickles"),
        ("numpy.lib._datasource.DataSource", MADE, "dangerous", "removes files"),
        ("numpy._core._ufunc_reconstruct", CALLED, "dangerous", "runs code"),
        ("sklearn.datasets._base.load_files", CALLED, "dangerous", "opens"),
        ("statistics.NormalDist", MADE, "dangerous", "standard library"),
        ("safeload.Policy.unsafe_allow_all", CALLED, "dangerous", "protects"),
        ("six.moves.builtins.eval", CALLED, "dangerous", "hangs from"),
        ("scipy.stats._no_such.gen", MADE, "left-out", "execute a string"),
        ("scipy.spatial._qhull.Delaunay", MADE, "left-out", "trusted by C code"),
        ("numpy.ufunc", KEPT, "left-out", "memory"),
        ("pathlib.PosixPath", CALLED, "left-out", "rename and remove files"),
        ("sklearn.later.NewEstimator", MADE, "left-out", "reviewed name by name"),
        ("mypkg.Colour", CALLED, "called", "harmless with any arguments"),
        ("mypkg.features.Scaler", MADE, "own", "__setstate__"),
        ("mypkg.features.Scaler", Use.EXTENDED | Use.INSTANTIATED, "own", "__setstate__"),
        ("mypkg.features.log", KEPT, "own", "call it later"),
        ("mypkg.types.Kind", MADE, "own", "__setstate__"),
        ("__main__.Scaler", MADE, "own", "script or notebook"),
    ],
)
def test_a_name_is_judged_by_what_it_is_and_how_it_is_used(path: str, use: Use, risk: str, words: str) -> None:
    found = advice(path, use)
    assert str(found.risk) == risk
    assert words in found.reason
    assert bool(found.option) != bool(found.instead), "there is a line to paste, or something else to do"


def test_of_a_listed_name_the_extra_use_is_named() -> None:
    found = advice("sklearn.svm._classes.SVC", CALLED | MADE)
    assert found.risk is Risk.LEFT_OUT
    assert "here it is called, which nobody reviewed" in found.reason
    assert not found.option


def test_a_confined_name_elsewhere_says_where_it_may_stand() -> None:
    elsewhere = used("numpy.ndarray", KEPT, free=True)
    found = advise(elsewhere, DEFAULT.denied(elsewhere))
    assert found.risk is Risk.LEFT_OUT
    assert "only in the arguments or the state of joblib.numpy_pickle.NumpyArrayWrapper" in found.reason
    assert not found.option


def test_what_only_the_policy_for_signed_files_grants_is_told_apart() -> None:
    narrow = Policy({key: use for key, use in DEFAULT.allowed.items() if "SVC" not in key[1]})
    found = needs(used("sklearn.svm._classes.SVC", MADE), policy=narrow)
    assert [each.risk for each in found.denied] == ["signed"]
    assert found.allow == ("sklearn.svm._classes.SVC",)


LONG = "a" * 2_000 + ".C"
ODD = ("my pkg.C", "mypkg.", "mypkg..C", "mypkg.C$(reboot)", "mypkg.C\n--allow os.system", "\ud800.C", "x.1", LONG)


@pytest.mark.parametrize("path", ODD, ids=lambda path: ascii(path[:20]))
def test_what_is_no_path_of_identifiers_is_never_pasted(path: str) -> None:
    assert not advice(path, MADE).option


def test_letters_that_only_look_like_others_are_pointed_out() -> None:
    assert "Compare the spelling: \u0443 is U+0443" in advice("m\u0443pkg.Scaler", MADE).reason
    assert "spelling" not in advice("mypkg.Scaler", MADE).reason


def test_a_name_of_many_megabytes_is_judged_at_once() -> None:
    each = GlobalUse("a." * 2_000_000 + "b", "c." * 2_000_000 + "d", 0, CALLED, "", "")
    found = needs(each)
    assert len(found.denied[0].name) < 1_010
    assert found.allow == found.allow_call == ()


LISTED = ["sklearn.svm._classes.SVC", "numpy.ndarray", "builtins.list", "collections.OrderedDict"]
NEVER = ["os.system", "numpy.load", "scipy.stats.x", "__main__.X", "my-pkg.x"]
NAMES = st.sampled_from([*LISTED, *NEVER, "mypkg.A", "mypkg.b.C", "other.D", "Caf\u00e9.D"])
USES = st.sets(st.sampled_from(list(Use)), min_size=1).map(lambda uses: functools.reduce(operator.or_, uses))
GLOBALS = st.lists(
    st.builds(lambda path, use, free: used(path, use, free=free), NAMES, USES, st.booleans()), max_size=5
)


@given(GLOBALS)
def test_what_is_pasted_is_enough_and_otherwise_nothing_is(globals_: list[GlobalUse]) -> None:
    found = needs(*globals_)
    if found.allow or found.allow_call:
        assert needs(*globals_, policy=allowed(found)).granted
    else:
        assert found.granted or any(not each.option for each in found.denied)


@given(GLOBALS)
def test_no_line_grants_what_is_dangerous(globals_: list[GlobalUse]) -> None:
    wider = allowed(needs(*globals_))
    for each in needs(*globals_).denied:
        if each.risk in {"dangerous", "left-out"}:
            assert each.name in {denied.name for denied in needs(*globals_, policy=wider).denied}


def test_a_fact_takes_all_lines_away() -> None:
    mine = used("mypkg.A", MADE)
    assert needs(mine).allow == ("mypkg.A",)
    odd = needs(mine, facts=(Fact("dup", 7, "DUP"),))
    assert (odd.allow, odd.granted, [fact.kind for fact in odd.facts]) == ((), False, ["dup"])


def test_facts_of_all_nested_streams_are_told_once_and_first() -> None:
    facts = [(Fact("dup", at, "DUP"), Fact("inst", at, "x")) for at in (9, 5)]
    inner = [ArrayData(0, 0, 0, "|O8", (1,), stream(facts=each)) for each in facts]
    outer = Stream(0, 1, 4, (), (Fact("inst", 30, "x"),), tuple(inner), (), ())
    found = needs_of(outer, DEFAULT, file="m", artifact=False, complete=False)
    assert {(fact.kind, fact.offset) for fact in found.facts} == {("dup", 5), ("inst", 5), ("after-stop", 1)}


def test_a_flood_of_names_is_counted_and_not_kept() -> None:
    many = [GlobalUse(f"m{index}", "C", index, KEPT, "", "") for index in range(200_000)]
    found = needs(*many)
    assert found.denied_count == found.used == 200_000
    assert len(found.denied) == DENIED_MAX
    assert [each.offset for each in found.denied] == list(range(DENIED_MAX))
    assert found.allow == (), "nobody can look at so many names"


def test_one_name_used_often_is_one_entry_with_its_first_place() -> None:
    many = [GlobalUse("mypkg", "C", index, KEPT, "", "") for index in (30, 10, 20)]
    (entry,) = needs(*many).denied
    assert (entry.offset, entry.count) == (10, 3)


def test_a_policy_that_allows_everything_needs_nothing() -> None:
    with pytest.warns(safeload.UnsafeWarning):
        everything = Policy.unsafe_allow_all()
    found = needs(used("os.system", CALLED), facts=(Fact("dup", 7, "DUP"),), policy=everything)
    assert found.granted


def test_a_file_object_is_judged_like_a_file(tmp_path: Path) -> None:
    data = b"\x80\x04\x8c\x05mypkg\x8c\x01C\x93)\x81."
    (tmp_path / "m.pkl").write_bytes(data)
    from_path, from_object = safeload.needs(tmp_path / "m.pkl"), safeload.needs(io.BytesIO(data))
    assert from_path.denied == from_object.denied
    assert from_path.allow == ("mypkg.C",)


def test_needs_takes_a_policy_and_nothing_else_for_one() -> None:
    with pytest.raises(TypeError, match="policy must be a Policy"):
        safeload.needs(io.BytesIO(b"N."), policy="default")  # type: ignore[arg-type]
