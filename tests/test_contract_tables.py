"""The tables of the contracts agree with each other and with the allow lists."""

from __future__ import annotations

import importlib
import re
from importlib import metadata
from pathlib import Path

import pytest

from safeload.engine import tables
from safeload.policy.allowlist import LIBRARIES, _tables, allow_list
from safeload.readers.observations import Use
from testkit import boosters

CONTRACTS = sorted((Path(tables.__file__).parent / "contracts").glob("[a-z]*.py"))
ALLOW = Path(tables.__file__).parent.parent / "policy" / "allow"


@pytest.mark.parametrize("table", ["GUARDS", "STUBS", "FINISHERS", "CHECKERS", "STATES"])
def test_no_contract_takes_the_place_of_another(table: str) -> None:
    modules = [importlib.import_module(f"safeload.engine.contracts.{path.stem}") for path in CONTRACTS]
    keys = [key for module in modules for key in getattr(module, table, {}) if module.__name__ != "shapes"]
    assert sorted(keys) == sorted(set(keys))
    assert set(keys) == set(getattr(tables, table))


def test_every_stub_is_finished_and_every_finisher_has_a_stub() -> None:
    wrappers = {("joblib.numpy_pickle", "NumpyArrayWrapper")}
    assert set(tables.STUBS) - wrappers == set(tables.FINISHERS)


@pytest.mark.parametrize("library", LIBRARIES)
def test_whatever_may_be_called_has_a_contract(library: str) -> None:
    called = {key for key, use in allow_list(library).items() if Use.CALLED in use}
    assert called <= tables.GUARDS.keys() | tables.STUBS.keys()


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_lists_name_the_versions_that_are_installed(library: str) -> None:
    table = _tables(library)
    if library in boosters.LIBRARIES:
        boosters.library(library)  # which need not be installed
    if library != "python":
        newest = re.search(r"<(\d+)\.(\d+)", table["versions"])
        assert newest is not None
        (owner,) = set(metadata.packages_distributions()[library]) & set(table.get("distributions", [table["library"]]))
        version = tuple(map(int, metadata.version(owner).split(".")[:2]))
        assert version < tuple(map(int, newest.groups()))


def test_a_list_is_sorted_and_names_nothing_twice() -> None:
    for library in LIBRARIES:
        for name in ("classes", "callables", "references"):
            for module, names in _tables(library).get(name, {}).items():
                assert names == sorted(set(names)), (library, name, module)
