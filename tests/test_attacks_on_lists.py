"""Objects of which each is alone in a list are read in one step with the lists: what would differ, if anything did."""

from __future__ import annotations

import pickle
import random

import pytest

from safeload.engine.tables import WATCHED
from safeload.readers.joblib import analyse
from test_attacks_on_forms import ITEMS, P4, M, Plain, both, get, own, repeats, shown, text

LIST = b"]" + M
# Entry 0 is the class, 1 the name of its attribute; an object that is memoised makes one entry more.
START = P4 + b"(" + own(Plain) + M + text("a") + M
OBJECT, KEPT = b"h\x00)\x81}h\x01K\x05sb", b"h\x00)\x81" + M + b"}h\x01K\x05sb"
ONE, ONE_KEPT = LIST + OBJECT + b"a", LIST + KEPT + b"a"
# Of list number n among `ONE_KEPT`, the entry; that of its object is the next.
FIRST = 2


def lists(between: bytes = b"", one: bytes = ONE_KEPT, many: int = 8) -> bytes:
    return START + one * many + between + one * many + b"t."


CASES: dict[str, bytes] = {
    "as picklers write them": lists(),
    "no object is memoised": lists(one=ONE),
    "in a list of lists": START + LIST + b"(" + ONE_KEPT * 9 + b"et.",
    "a list is asked for": lists(get(FIRST + 8)),
    "an object is asked for": lists(get(FIRST + 9)),
    "the last list is asked for": START + ONE_KEPT * 8 + get(FIRST + 14) + get(FIRST + 15) + b"t.",
    "each is asked for": START + ONE_KEPT * 8 + b"".join(get(key) for key in range(FIRST, FIRST + 16)) + b"t.",
    "one list has more in front": lists(LIST + b"K\x07aK\x08a" + KEPT + b"a"),
    "one list has more behind": lists(LIST + KEPT + b"aK\x07a"),
    "the list before gets more": lists(b"K\x07a"),
    "the list two before gets more": lists(b"0K\x07a"),
    "a list gets more that is asked for": lists(get(FIRST + 8) + b"K\x07a"),
    "two in one list": lists(one=LIST + KEPT + b"a" + KEPT + b"a"),
    "two in one list, one in the next": lists(one=LIST + KEPT + b"a" + KEPT + b"a" + ONE_KEPT),
    "by turns in lists and not": lists(one=ONE_KEPT + KEPT),
    "first in lists, then one behind the other": START + ONE_KEPT * 8 + KEPT * 8 + b"t.",
    "first one behind the other, then in lists": START + KEPT * 8 + ONE_KEPT * 8 + b"t.",
    "the lists are not memoised": lists(one=b"]" + KEPT + b"a"),
    "the lists are memoised twice": lists(one=LIST + M + KEPT + b"a"),
    "each in a tuple": lists(one=LIST + KEPT + b"a\x85"),
    "by MARK and APPENDS": lists(one=LIST + b"(" + KEPT + b"e"),
    "a list of ever more lists": START + (LIST + KEPT + b"a") * 6 + b"a" * 5 + b"t.",
    "the first goes into a tuple": START + b")" + KEPT + b"a" + ONE_KEPT * 8 + b"t.",
    "the first goes into a dict": START + b"}" + M + KEPT + b"a" + ONE_KEPT * 8 + b"t.",
    "the first goes into a set": START + b"\x8f" + M + KEPT + b"a" + ONE_KEPT * 8 + b"t.",
    "the first goes into an object": START + ITEMS + b"h\x02)\x81" + M + KEPT + b"a" + ONE_KEPT * 8 + b"t.",
    "the first goes into nothing": START + KEPT + b"a" + ONE_KEPT * 8 + b"t.",
    "the first goes into what was asked for": START + LIST + b"h\x02" + KEPT + b"a" + ONE_KEPT * 8 + b"t.",
    "the first goes into a state": START
    + b"h\x00)\x81" + LIST + b"bh\x02" + KEPT + b"a" + ONE_KEPT * 8 + b"t.",
    "a MARK is in front of the object": START + ONE_KEPT * 4 + LIST + b"(" + KEPT + b"a" + ONE_KEPT * 4 + b"t.",
    "it ends behind APPEND": START + ONE_KEPT * 8,
    "it ends behind the object": START + ONE_KEPT * 8 + LIST + KEPT,
    "it ends behind the list": START + ONE_KEPT * 8 + LIST,
    "it ends within the object": START + ONE_KEPT * 8 + LIST + KEPT[:-4],
    "another state": START + ONE_KEPT * 4 + LIST + KEPT.replace(b"K\x05", b"\x88") + b"a" + ONE_KEPT * 4 + b"t.",
    "another class": START + ONE_KEPT * 4 + ITEMS + LIST + get(10) + KEPT[2:] + b"a" + ONE_KEPT * 4 + b"t.",
    "a frame ends between": START + ONE_KEPT * 4 + LIST + b"\x95" + (len(KEPT) + 1).to_bytes(8, "little") + KEPT + b"a"
    + ONE_KEPT * 4 + b"t.",
    "more of them than are read at once": lists(many=100),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_lists_of_objects_are_what_the_unpickler_makes_of_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick, slow = both(CASES[name], monkeypatch)
    assert quick == slow
    if isinstance(quick, tuple):
        assert quick == shown(pickle.loads(CASES[name]))  # made here


def test_they_are_read_in_one_step() -> None:
    for data, many in ((CASES["as picklers write them"], 14), (CASES["more of them than are read at once"], 198)):
        (found,) = analyse(memoryview(data), watch=WATCHED).repeats
        assert len(found.rows) == repeats(data) == many


PIECES = (OBJECT, KEPT, ONE, ONE_KEPT, b"a", b"]", LIST, M, b"0", b"(", b"e", b"t", b"K\x07", b"2", b"\x85", ITEMS)


@pytest.mark.parametrize("seed", range(300))
def test_any_order_of_such_pieces_is_seen_alike(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chooser = random.Random(seed)  # noqa: S311  # reproducible
    body = ONE_KEPT * 3
    for _ in range(chooser.randrange(1, 12)):
        piece = chooser.choice((*PIECES, get(chooser.randrange(2, 20))))
        body += chooser.choice((piece, ONE_KEPT * chooser.randrange(1, 5), ONE * 2))
    data = START + body + b"t."
    quick, slow = both(data, monkeypatch)
    assert quick == slow
    if isinstance(quick, tuple):
        assert quick == shown(pickle.loads(data))  # made here
