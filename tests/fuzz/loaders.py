"""The loaders that are put to the same mutants."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from joblib.numpy_pickle import NumpyUnpickler

import safeload
from fuzz.skops_files import skops_loader
from safeload import pages
from safeload.container import source
from safeload.engine import turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fuzz.family import Family

    Load = Callable[[bytes, Family, str], Any]

__all__ = ["LOADERS", "load_safely"]

Names = frozenset[tuple[str, str]]


def _names(families: Iterable[Family]) -> Names:
    """Every global that the streams name before they are changed."""
    return frozenset(
        tuple(node.text.rsplit(".", 1))  # type: ignore[misc]
        for family in families
        for tree in family.trees.values()
        for node in tree.by_tag.get("global", ())
    )


class _Plain(pickle.Unpickler):
    """CPython's unpickler, confined to the names of real models: no mutant may run a program."""

    names: Names = frozenset()

    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(*_known(module, name, self.names))


class _Joblib(NumpyUnpickler):  # type: ignore[misc]
    names: Names = frozenset()

    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(*_known(module, name, self.names))


def _known(module: str, name: str, names: Names) -> tuple[str, str]:
    if (module, name) not in names:
        raise pickle.UnpicklingError("a name that no model has")
    return module, name


def load_safely(data: bytes, *, signed: bool = False) -> Any:
    """As a file without a signature, or by what is allowed in one that was verified.

    Of these small files, too, what was copied into trees is given back while the rest is made.
    """
    with (
        patch.object(source, "_SMALL", 1),
        patch.object(pages, "_WORTH", 0),
        patch.object(turns, "_BYTES_AT_ONCE", 20_000),
    ):
        return safeload.load_untrusted(io.BytesIO(data), policy=safeload.Policy.default() if signed else None)


def _safeload(families: Iterable[Family]) -> Load:
    return lambda data, family, writer: load_safely(data, signed=family.signed)


def _pickle(families: Iterable[Family]) -> Load:
    """``pickle.load`` and ``joblib.load`` as they are, apart from the names."""
    names = _names(families)
    _Plain.names = _Joblib.names = names

    def load(data: bytes, family: Family, writer: str) -> Any:
        file = io.BytesIO(data)
        if writer == "joblib":
            return _Joblib("", file, ensure_native_byte_order=True).load()
        return _Plain(file).load()

    return load


LOADERS: dict[str, Callable[[Iterable[Family]], Load]] = {
    "safeload": _safeload,
    "pickle": _pickle,
    "skops": skops_loader,
}
