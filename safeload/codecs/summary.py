"""What a pickled member holds: for the manifest, and for whoever saves it."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from safeload.codecs.base import is_stream
from safeload.codecs.checked import NOT_LISTED
from safeload.codecs.joblib import work_for
from safeload.codecs.keras_json import CONFIG
from safeload.codecs.keras_names import without_module
from safeload.engine.tables import WATCHED
from safeload.errors import SafeloadError
from safeload.kinds import TREE
from safeload.limits import ScanLimits
from safeload.policy import Policy
from safeload.policy.findings import findings_of
from safeload.policy.judge import denied_globals, streams_of
from safeload.policy.rules import Severity
from safeload.readers.compressed import plain_buffer
from safeload.readers.files.npy import npy_header
from safeload.readers.files.table import read_file
from safeload.readers.joblib import analyse
from safeload.readers.observations import ArrayData
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from safeload.limits import Limits
    from safeload.readers.observations import GlobalUse, Stream

__all__ = ["Summary", "is_keras", "merged", "summarise"]

_NPY, _DTYPE_MAX = b"\x93NUMPY", 200
_ANYTHING = frozenset({"file", TREE, "numpy.array", "numpy.dict"})
_KERAS = frozenset({"keras.archive", "keras-h5.file", CONFIG})


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`denied` are the globals that the default policy does not allow; `facts` what it refuses besides, in words.

    What is not `readable` is no stream of objects, or one that cannot be analysed.
    """

    modules: frozenset[str] = frozenset()
    globals: tuple[str, ...] = ()
    arrays: tuple[ArrayData, ...] = ()
    denied: tuple[GlobalUse, ...] = ()
    facts: tuple[str, ...] = ()
    readable: bool = True


def is_keras(kind: str) -> bool:
    """Whether a member of that kind has an architecture of Keras in it."""
    return kind in _KERAS


def summarise(view: memoryview, limits: Limits, kind: str = "file", beside: int = 0) -> Summary:
    """The summary of a joblib or pickle stream, compressed or not, with `beside` it buffers; of an array of numpy's; or
    of a model of Keras.

    What is of a `kind` that something else reads is no stream, however it begins: an archive can be read as a pickle
    that asks for an object elsewhere.
    """
    if is_keras(kind):
        return _of_keras(view)
    if kind not in _ANYTHING and not is_stream(kind):
        return Summary(readable=False)
    if bytes(view[: len(_NPY)]) == _NPY:
        return _of_npy(view)
    try:
        buffer = plain_buffer(view, limits)
        work = work_for(buffer, len(view))
        stream = analyse(buffer, watch=WATCHED, work=work, out_of_band=beside)
        buffer.reach(stream.end + 1)
    except SafeloadError as error:
        return Summary(facts=(error.message,), readable=False)
    return _summary(stream, complete=stream.end == len(buffer.view))


def _of_keras(view: memoryview) -> Summary:
    """Of an architecture: classes of somebody's own, and what no policy allows."""
    parts = read_file(view, ScanLimits(), WATCHED)
    policy = Policy.default()
    found = [each for part in parts for each in findings_of(part, policy) if each.severity >= Severity.MEDIUM]
    facts = [f"{each.text}. {each.do}" for each in found if each.rule not in NOT_LISTED]
    facts += [seen.text for part in parts for seen in part.observations if seen.kind == "unread"]
    if not facts and (keras := sys.modules.get("keras")):  # a configuration that was read
        own = without_module(keras, parts)
        facts += [f"{printable(name, 80)} is a function of somebody's own, which a policy has to name" for name in own]
    denied = [used for part in parts for used in part.globals.values() if policy.denied(used)]
    return Summary(denied=tuple(denied), facts=tuple(facts), readable=False)


def _of_npy(view: memoryview) -> Summary:
    try:
        header = npy_header(view)
    except SafeloadError as error:
        return Summary(facts=(error.message,), readable=False)
    if header.end + math.prod(header.shape) * header.itemsize != len(view) or max(header.shape, default=0) > len(view):
        # What is not as it says is packed all the same; the manifest has no room for such numbers.
        return Summary(facts=("the array does not have the bytes that its shape asks for",), readable=False)
    dtype = str(header.descr)[:_DTYPE_MAX]
    return Summary(arrays=(ArrayData(0, header.end, len(view), dtype, header.shape, None),), readable=False)


def merged(summaries: Sequence[Summary], kinds: Sequence[str], libraries: Iterable[str] = ()) -> Summary:
    """What several members of these kinds hold together, and `libraries`.

    Only of one alone, or of a stream beside a model of another format, it can be said what loading it will be refused
    for.
    """
    if len(summaries) == 1:
        return replace(summaries[0], modules=summaries[0].modules | set(libraries))
    loaded = [each for each, kind in zip(summaries, kinds, strict=True) if is_stream(kind) or is_keras(kind)]
    streams = [each for each in summaries if each.readable or each.arrays]
    return Summary(
        modules=frozenset(libraries).union(*(each.modules for each in streams)),
        globals=tuple(sorted({name for each in streams for name in each.globals})),
        arrays=tuple(array for each in streams for array in each.arrays),
        denied=tuple(used for each in loaded for used in each.denied),
        facts=tuple(fact for each in loaded for fact in each.facts),
        readable=False,
    )


def _summary(stream: Stream, *, complete: bool) -> Summary:
    parts = tuple(streams_of(stream))
    used = [each for part in parts for each in part.globals]
    facts = [fact.text for part in parts for fact in part.facts]
    if not complete:
        facts.append("bytes follow after the object")
    return Summary(
        modules=frozenset(each.module for each in used),
        globals=tuple(sorted({each.path for each in used})),
        arrays=tuple(array for part in parts for array in part.every_array()),
        denied=tuple(denied_globals(stream, Policy.default())),
        facts=tuple(facts),
    )
