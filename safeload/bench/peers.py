"""The same object kept by plain joblib and pickle: the one file of the package that calls ``load`` of either.

Nothing that somebody gives is ever read here: no path comes in. What is loaded is what `written` wrote a moment before,
of an object that was verified and rebuilt under a policy, into a folder that nobody else can write to. Such an object
cannot choose how it is pickled: attributes with names like ``__reduce_ex__`` are refused while it is rebuilt.
"""

from __future__ import annotations

import contextlib
import pickle
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from safeload.bench.evaluation import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["NAMES", "Written", "written"]


class Written(NamedTuple):
    """A file that was just written, of `size` bytes; ``load()`` is plain joblib or pickle."""

    size: int
    load: Callable[[], Any]


@contextlib.contextmanager
def written(value: Any) -> Iterator[dict[str, Written | str]]:
    """A file of each of `NAMES`, as long as the context lasts; or why there is none."""
    with tempfile.TemporaryDirectory(prefix="safeload-") as folder:  # of mode 0700
        files = {name: _write(value, Path(folder) / f"model.{name}", *ways) for name, ways in _WAYS.items()}
        del value  # or it would stay in memory beside each one that is loaded
        yield files


def _write(value: Any, path: Path, dump: Callable[[Any, Path], object], load: Callable[[Path], Any]) -> Written | str:
    try:
        dump(value, path)
    except Exception as error:  # whatever the classes of the object raise; or there is no space
        path.unlink(missing_ok=True)
        return reason(error)
    return Written(path.stat().st_size, partial(load, path))


def _dump_joblib(value: Any, path: Path) -> None:
    import joblib

    joblib.dump(value, path)


def _load_joblib(path: Path) -> Any:
    import joblib

    return joblib.load(path)


def _dump_pickle(value: Any, path: Path) -> None:
    with path.open("xb") as file:
        pickle.dump(value, file)


def _load_pickle(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301  what this process wrote


_WAYS: Mapping[str, tuple[Callable[[Any, Path], object], Callable[[Path], Any]]] = {
    "joblib": (_dump_joblib, _load_joblib),
    "pickle": (_dump_pickle, _load_pickle),
}
NAMES = tuple(_WAYS)
