"""The floors of the house: who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parent.parent / "safeload"

# Room -> the rooms that it may import besides itself and floor 0.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "kinds": set(),
    "limits": set(),
    "mapped": set(),
    "pages": set(),
    "text": set(),
    "_version": set(),
    "warn": set(),
    "hazmat": set(),
    "container": set(),
    "readers": set(),
    "keys": {"hazmat", "container"},
    "policy": {"readers"},
    "engine": {"readers", "policy"},
    "codecs": {"readers", "policy", "engine"},
    "artifact": {"container", "readers", "keys", "policy", "codecs"},
    "store": {"container", "keys", "policy", "artifact"},
    "bench": {"container", "keys", "policy", "codecs", "artifact"},
    "audit": {"container", "readers", "keys", "policy", "engine", "artifact"},
    "report": {"policy", "audit"},
    "_scan": {"keys", "policy", "audit"},
    "_writing": {"container", "keys", "artifact"},
    "_reading": {"keys", "policy", "artifact"},
    "_plain": {"_writing", "container", "keys", "policy", "codecs", "artifact"},
}
FLOOR_0 = {"errors", "kinds", "limits", "mapped", "pages", "text", "warn", "_version"}
ML_LIBRARIES = {"numpy", "scipy", "sklearn", "joblib", "pandas", "xgboost", "lightgbm", "catboost"}
# bench asks models, and holds what they answer against one another.
MAY_IMPORT_ML = {"engine", "codecs", "bench"}
# What is measured beside us: loaded by this file, which wrote it.
PEERS = {"peers.py": {"joblib.load", "pickle.load"}}
# Not for models: its pool of processes, which others put their clusters behind.
POOL = {("audit", "joblib")}


def _files() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        yield relative.parts[0].removesuffix(".py"), path


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from full
            if not all(_is_module(name) for name in full):  # `from room import module` is no import of the room
                yield node.module or ""


def _is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or path.joinpath("__init__.py").is_file()


def _rooms(path: Path) -> set[str]:
    """The rooms of safeload that `path` imports."""
    paths = [name.split(".") for name in _imports(path)]
    rooms = {parts[1] if len(parts) > 1 else "__init__" for parts in paths if parts[0] == "safeload"}
    known = {room for room, _ in _files()}
    return {room if room in known else "__init__" for room in rooms}


@pytest.mark.parametrize(("room", "path"), list(_files()), ids=lambda value: str(value)[-40:])
def test_a_room_imports_only_from_the_floors_below(room: str, path: Path) -> None:
    if room not in MAY_IMPORT:
        return
    assert _rooms(path) <= MAY_IMPORT[room] | FLOOR_0 | {room}


def test_every_room_has_a_floor() -> None:
    assert {room for room, _ in _files()} == {*MAY_IMPORT, "__init__", "__main__", "cli"}


@pytest.mark.parametrize("path", [path for room, path in _files() if room == "cli"], ids=lambda path: path.name)
def test_the_command_line_is_a_customer_of_the_public_names(path: Path) -> None:
    assert _rooms(path) <= {"__init__", "_version", "cli", "errors", "text", "keys", "report"}


def test_only_hazmat_imports_cryptography() -> None:
    users = {room for room, path in _files() if any(name.split(".")[0] == "cryptography" for name in _imports(path))}
    assert users == {"hazmat"}


def test_only_rooms_that_handle_objects_import_machine_learning_libraries() -> None:
    for room, path in _files():
        libraries = {name.split(".")[0] for name in _imports(path)} & ML_LIBRARIES
        libraries -= {library for where, library in POOL if where == room}
        # The demonstration trains models, in a process of its own making.
        assert not libraries or room in MAY_IMPORT_ML or "demo" in str(path), path


def _pickle_names(path: Path) -> set[str]:
    """The names of pickle, joblib and their kin that `path` uses to read or to subclass."""
    readers = {"load", "loads", "Unpickler", "_Unpickler", "find_class", "read_pickle"}
    nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)]
    return {
        f"{node.value.id}.{node.attr}"
        for node in nodes
        if isinstance(node.value, ast.Name)
        and node.attr in readers
        and node.value.id in {"pickle", "_pickle", "joblib", "np", "numpy", "marshal", "dill", "cloudpickle"}
    }


def test_there_is_one_unpickler() -> None:
    users = {path.name: names for _, path in _files() if (names := _pickle_names(path)) and "demo" not in str(path)}
    assert users == {"guard.py": {"pickle.Unpickler"}, **PEERS}


def test_what_is_measured_beside_us_is_loaded_in_one_file_which_takes_no_path() -> None:
    """It loads what it wrote: nothing that is public in it can be handed a file, or the name of one."""
    (path,) = (path for _, path in _files() if path.name in PEERS)
    assert path.relative_to(PACKAGE).parts == ("bench", *PEERS)
    tree = ast.parse(path.read_text("utf-8"))
    public = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
    )
    functions = {node.name: node.args for node in tree.body if isinstance(node, ast.FunctionDef)}
    taken = {name: [each.arg for each in functions[name].args] for name in public if name in functions}
    assert taken == {"written": ["value"]}
    customers = {
        path.name
        for _, path in _files()
        for name in _imports(path)
        if name.startswith("safeload.bench.peers") and path.name not in PEERS
    }
    assert customers == {"evaluating.py"}


def test_only_one_file_prints() -> None:
    printing = {
        path.name
        for _, path in _files()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing <= {"ui.py"}


def test_there_is_no_import_cycle() -> None:
    graph = {_module(path): {name for name in _imports(path) if name.startswith("safeload.")} for _, path in _files()}
    graph = {module: {name for name in names if name in graph} - {module} for module, names in graph.items()}
    while leaves := [module for module, names in graph.items() if not names]:
        graph = {module: names - set(leaves) for module, names in graph.items() if names}
    assert not graph


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
