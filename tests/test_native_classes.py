"""Every class of compiled code whose objects can be pickled is in docs/native-classes.md, with a conclusion."""

from __future__ import annotations

import enum
import importlib
import re
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from safeload.policy.allowlist import allow_list, confined

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).parent.parent / "docs" / "native-classes.md"
LIBRARIES = ("numpy", "scipy", "sklearn")
METHODS = ("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__")
HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class that Python code may have made
# Functions make these, which have names of their own.
BY_A_FUNCTION = {"numpy.random._generator.Generator", "numpy.random.mtrand.RandomState"}


def _rows() -> dict[str, str]:
    """The full name of each class -> what was concluded."""
    rows: dict[str, str] = {}
    for line in DOCUMENT.read_text("utf-8").splitlines():
        if line.startswith("| `"):
            module, classes, text = (cell.strip() for cell in line.strip("| ").split(" | ", 2))
            for name in re.findall(r"`([^`]+)`", classes):
                rows[f"{module.strip('`')}.{name}"] = text
    return rows


def _compiled(package: str) -> Iterator[str]:
    folder = Path(str(importlib.import_module(package).__file__)).parent
    for path in sorted(folder.rglob("*.so")):
        name = path.name.split(".")[0]
        if "test" not in name:
            yield ".".join((*path.relative_to(folder.parent).parts[:-1], name))


def _cython_unpickles(kind: type) -> bool:
    return hasattr(sys.modules.get(kind.__module__), f"__pyx_unpickle_{kind.__name__}")


def _refuses(kind: type, method: str) -> bool:
    """Cython wrote the method, and no function that would undo it: it says "no default __reduce__"."""
    name = getattr(vars(kind).get(method), "__name__", "")
    return name in ("__reduce_cython__", "__setstate_cython__") and not _cython_unpickles(kind)


def _can_be_pickled(kind: type) -> bool:
    for each in kind.__mro__[:-1]:
        if any(_refuses(each, method) for method in METHODS):
            return False
        if _cython_unpickles(each) or any(method in vars(each) for method in METHODS):
            return True
    return False


def _found(package: str) -> Iterator[str]:
    for name in _compiled(package):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = importlib.import_module(name)
        except (ImportError, RuntimeError):
            continue  # some can only be imported by their owners, which have done so
        for kind in vars(module).values():
            if not isinstance(kind, type) or issubclass(kind, BaseException | enum.Enum):
                continue
            own = kind.__module__ == name
            static = not kind.__flags__ & HEAP and kind.__module__.split(".")[0] in (package, "_loss")
            if (own or static) and _can_be_pickled(kind):
                yield f"{kind.__module__}.{kind.__name__}"


@pytest.mark.parametrize("package", LIBRARIES)
def test_every_class_of_compiled_code_that_can_be_pickled_is_in_the_document(package: str) -> None:
    found = set(_found(package))
    assert len(found) > 10
    assert found <= _rows().keys(), sorted(found - _rows().keys())


def _granted() -> set[str]:
    """The classes of which the allow lists let a file make objects: by themselves, or as arguments of a function."""
    keys = {key for library in LIBRARIES for key in allow_list(library)}
    return {".".join(key) for key in keys | {key for names in confined().values() for key in names}}


def test_what_the_document_allows_is_in_the_allow_lists_and_nothing_else() -> None:
    granted = _granted()
    for name, text in _rows().items():
        if name in BY_A_FUNCTION or "`scalar(" in text:  # of the scalar types, the row names those above them
            continue
        assert (name in granted) == text.startswith("allowed"), name


def test_each_conclusion_says_allowed_or_left_out() -> None:
    contracts = DOCUMENT.parent.parent / "safeload" / "engine"
    for name, text in _rows().items():
        assert text.startswith(("allowed: ", "left out: ")), name
        for path in re.findall(r"`((?:engine|contracts)/\w+\.py)`", text):
            assert (contracts / path.removeprefix("engine/")).exists(), path
