"""Each name that the allow lists grant a call, a reference or a place is in docs/reviewed-callables.md."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from safeload.policy.allowlist import LIBRARIES, _tables

DOCUMENT = Path(__file__).parent.parent / "docs" / "reviewed-callables.md"
SECTIONS = {
    "callables": "## Called while loading",
    "references": "## Referenced, and perhaps called later",
    "confined": "## Confined to one owner",
}
Names = list[tuple[str, str]]  # a module or an owner, and a name


def _listed(table: str) -> Names:
    """The rows of that section, each name once."""
    text = DOCUMENT.read_text("utf-8").split(f"{SECTIONS[table]}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [(row[0].strip("`"), name) for row in rows for name in re.findall(r"`([^`]+)`", row[1])]


def _granted(table: str) -> set[tuple[str, str]]:
    return {
        (module, name)
        for library in LIBRARIES
        for module, names in _tables(library).get(table, {}).items()
        for name in names
    }


@pytest.mark.parametrize("table", SECTIONS)
def test_no_name_is_missing_and_none_is_there_that_the_lists_do_not_grant(table: str) -> None:
    listed, granted = set(_listed(table)), _granted(table)
    assert not granted - listed, sorted(granted - listed)
    assert not listed - granted, sorted(listed - granted)


@pytest.mark.parametrize("table", SECTIONS)
def test_no_name_has_two_conclusions(table: str) -> None:
    assert {name: count for name, count in Counter(_listed(table)).items() if count > 1} == {}


def test_each_row_says_what_could_happen_and_what_stands_in_its_way() -> None:
    text = DOCUMENT.read_text("utf-8")
    for line in text.split(SECTIONS["callables"])[1].splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
            assert len(cells) >= 3, line
            assert all(cells), line


def test_what_is_confined_is_said_to_be_so_where_it_is_referenced() -> None:
    confined = {name for _, name in _granted("confined")}
    text = DOCUMENT.read_text("utf-8").split(SECTIONS["references"])[1].split(SECTIONS["confined"])[0]
    for line in text.splitlines():
        if line.startswith("| `"):
            module, names, *_ = line.strip("| ").split(" | ")
            paths = {f"{module.strip('`')}.{name}" for name in re.findall(r"`([^`]+)`", names)}
            assert (line.rstrip("| ").endswith("see the last table") or "see the last table:" in line) == (
                paths <= confined
            ), line
