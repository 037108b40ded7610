"""Many files: one after the other, or over whatever joblib has as its backend, Dask for one.

A worker that dies, or a file on which one hangs, costs that file and no other.
"""

from __future__ import annotations

import contextlib
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.audit.report import FileReport, Unread
from safeload.audit.scanning import scan_file
from safeload.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from safeload.audit.walking import Place
    from safeload.keys import TrustStore
    from safeload.limits import ScanLimits
    from safeload.policy import Policy

__all__ = ["cluster", "scan_places"]


def scan_places(
    places: Sequence[Place],
    policy: Policy | None,
    limits: ScanLimits,
    trust: TrustStore | None,
    jobs: int | None,
    *,
    second: bool = False,
) -> Iterator[tuple[int, FileReport]]:
    """The number of each place and its report, as they come."""
    scan = partial(scan_file, policy=policy, limits=limits, trust=trust, second=second)
    todo: list[tuple[int, str]] = []
    for number, place in enumerate(places):
        if place.reason:
            yield number, FileReport(place.path, 0, unread=(Unread((), 0, place.reason),))
        else:
            todo.append((number, place.path))
    if len(todo) > 1 and (jobs != 1 or _ambient()):
        yield from _in_parallel(scan, todo, jobs)
    else:
        yield from ((number, scan(path)) for number, path in todo)


def _ambient() -> bool:
    """Whether somebody chose a backend of joblib around this call."""
    return "joblib" in sys.modules and bool(_configured())


def _configured() -> object:
    from joblib.parallel import get_active_backend

    backend, jobs = get_active_backend()
    return type(backend).__name__ != "LokyBackend" or jobs != 1


def _in_parallel(
    scan: Callable[[str], FileReport], todo: list[tuple[int, str]], jobs: int | None
) -> Iterator[tuple[int, FileReport]]:
    from joblib import Parallel, delayed

    left = dict(todo)
    try:
        workers = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1 if len(todo) < 64 else "auto")
        for number, report in workers(delayed(_numbered)(scan, number, path) for number, path in todo):
            left.pop(number)
            yield number, report
    except Exception as error:  # a worker died, and with it what others had begun: each file left by itself
        for number, path in list(left.items()):
            yield number, _alone(scan, path, error)


def _numbered(scan: Callable[[str], FileReport], number: int, path: str) -> tuple[int, FileReport]:
    return number, scan(path)


def _alone(scan: Callable[[str], FileReport], path: str, error: Exception) -> FileReport:
    """In a process of its own, which may die."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(sender, scan, path), daemon=True)
    child.start()
    sender.close()
    try:
        report: FileReport = receiver.recv()
    except EOFError:
        child.join()
        why = f"the process that read it ended with {child.exitcode}, after {type(error).__name__}"
        return FileReport(path, 0, unread=(Unread((), 0, why),))
    child.join()
    return report


def _send(sender: object, scan: Callable[[str], FileReport], path: str) -> None:
    sender.send(scan(path))  # type: ignore[attr-defined]


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """joblib's pool is the cluster of Dask at `address`, as long as this lasts. Raises MissingExtraError."""
    if address is None:
        yield
        return
    try:
        from dask.distributed import Client
        from joblib import parallel_config
    except ImportError:
        raise MissingExtraError(
            "a cluster of Dask needs distributed", extra="dask", hint="pip install 'safeload[dask]'"
        ) from None
    connect: Any = Client  # untyped
    with connect(address), parallel_config(backend="dask"):
        yield
