"""Each method of an allow-listed class that runs by itself is in docs/reviewed-classes.md, with a conclusion."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from safeload.engine.contracts.sklearn import MODULE_ALIASES
from safeload.policy.allowlist import LIBRARIES, _tables

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).parent.parent / "docs" / "reviewed-classes.md"
METHODS = (
    "__setstate__", "__getstate__", "__reduce__", "__reduce_ex__", "__new__", "__del__", "__getattr__",
    "__getattribute__", "__setattr__", "__delattr__", "__eq__", "__hash__",
)  # fmt: skip
# Nobody needs to be told about these: they are what every class is made of.
BASES = ("builtins", "typing", "abc", "collections.abc", "collections")
Place = tuple[str, str]  # a package and a class's name: modules move between versions


def _rows() -> dict[Place, str]:
    """Where the code stands -> what the row says that it is."""
    rows: dict[Place, str] = {}
    for line in DOCUMENT.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if line.startswith("| `") and len(cells) == 3:
            path = cells[0].strip("`")
            rows[path.partition(".")[0], path.rpartition(".")[2]] = cells[1]
    return rows


def _classes(library: str) -> Iterator[Any]:
    """Those of the allow list that this version of the library has."""
    for module, names in _tables(library).get("classes", {}).items():
        for name in names:
            try:
                found: Any = importlib.import_module(MODULE_ALIASES.get(module, module))
                for part in name.split("."):
                    found = getattr(found, part)
            except (ImportError, AttributeError):
                continue
            yield found


def _of_its_own(library: str) -> Iterator[tuple[Place, str]]:
    for kind in _classes(library):
        for each in kind.__mro__:
            place = each.__module__.partition(".")[0], each.__qualname__.rpartition(".")[2]
            for name, value in vars(each).items():
                if each.__module__ in BASES or value is None:
                    continue
                if name in METHODS:
                    yield place, name
                if isinstance(value, property) and value.fset is not None:
                    yield place, f"set {name}"


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_method_that_runs_by_itself_has_a_conclusion(library: str) -> None:
    rows = _rows()
    missing = {(place, what) for place, what in _of_its_own(library) if f"`{what}`" not in rows.get(place, "")}
    assert not missing, sorted(missing)


def test_no_conclusion_is_about_a_class_that_is_gone() -> None:
    found = {place for library in LIBRARIES for place, _ in _of_its_own(library)}
    installed = {package for package, _ in found}
    text = DOCUMENT.read_text("utf-8")
    for package, name in _rows():
        if package in installed and (package, name) not in found:
            # Then it is of another version, and the row says of which.
            assert re.search(rf"`{package}[^`]*\.{name}` .*\((scipy|scikit-learn|pandas|dateutil) ", text), name


def test_every_function_that_unpickles_for_cython_has_a_conclusion() -> None:
    text = DOCUMENT.read_text("utf-8")
    functions = {
        f"{module}.{name}"
        for library in LIBRARIES
        for module, names in _tables(library).get("callables", {}).items()
        for name in names
        if name.startswith("__pyx_unpickle_")
    }
    assert functions == set(re.findall(r"`([\w.]+\.__pyx_unpickle_[A-Z]\w+)`", text))


def test_the_document_would_notice_a_new_method() -> None:
    assert (("scipy", "rv_generic"), "__setstate__") in set(_of_its_own("scipy"))
    assert (("scipy", "interp1d"), "set fill_value") in set(_of_its_own("scipy"))
