"""What can be read: one reader a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import SafeloadError, StreamError
from safeload.readers.files import (
    documents,
    graphs,
    hdf5,
    npy,
    pickles,
    sevenzips,
    squeezed,
    tars,
    tensors,
    texts,
    torch_tars,
    xmls,
    zips,
)
from safeload.readers.files.kinds import begins_like_a_pickle, ends_like_a_zip, hdf5_offsets, is_text, kind_of
from safeload.readers.files.look import Budget, Look
from safeload.readers.files.parts import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.limits import ScanLimits

__all__ = ["GAVE_UP", "READERS", "is_numbers", "numbers_beside", "read_file", "read_part"]

GAVE_UP = "the reader gave up"


def _empty(look: Look, view: memoryview) -> None:
    look.unread(0, "the file is empty")


def _unknown(look: Look, view: memoryview) -> None:
    look.unread(0, "this is of no format that is known here")


READERS: Mapping[str, Callable[[Look, memoryview], None]] = {
    "pickle": pickles.read,
    "npy": npy.read,
    **dict.fromkeys(squeezed.ENCODINGS, squeezed.read),
    "zip": zips.read,
    "tar": tars.read,
    **torch_tars.READERS,
    "safetensors": tensors.read_safetensors,
    "gguf": tensors.read_gguf,
    "json": documents.read_json,
    "catboost": texts.read_native,
    "lightgbm": texts.read_native,
    "ubjson": texts.read_native,
    "text": texts.read_text,
    "media": texts.read_media,
    # names, shapes and checksums of the variables of TensorFlow, and where they stand
    "tensorflow, index": texts.read_text,
    "tensorflow, fingerprint": texts.read_text,
    "sentencepiece": texts.read_text,
    "hdf5": hdf5.read,
    "7z": sevenzips.read,
    "xml": xmls.read,
    "protobuf": graphs.read,
    "empty": _empty,
    "unknown": _unknown,
}
# These are told by what a pickle never is, or were looked at as one already.
_LIKE_NUMBERS = frozenset({"unknown", "text", "pickle", "protobuf"})
# With two or three bytes of these, numbers begin by chance; then nothing can be read of it.
_MAYBE_NUMBERS = _LIKE_NUMBERS | {"gzip", "json", "xml", "zlib"}
# Whatever is in them is looked into anyway.
_CONTAINERS = frozenset({"zip", "tar", "7z", "empty", *squeezed.ENCODINGS})
_NO_PICKLES = frozenset({"pickle", "empty", *torch_tars.KINDS})


def read_file(
    view: memoryview, limits: ScanLimits, watch: frozenset[tuple[str, str]], *, raw: bool = False
) -> list[Part]:
    """All parts of a file, the file itself first. Raises nothing for what the bytes may be.

    `raw` says that another file describes this one as numbers.
    """
    parts = [Part((), "numbers", 0, len(view), view=view)]
    look = Look(parts[0], parts, Budget(limits, len(view)), read_part, watch)
    if raw and is_numbers(look, view):
        return parts
    read_part(look, view)
    return parts


def is_numbers(look: Look, view: memoryview) -> bool:
    """Whether a file that another one describes as numbers is nothing besides: a pickle, a document, a graph, or an
    archive behind the numbers. What no reader makes anything of is what numbers look like."""
    kind = kind_of(view)
    if kind not in _MAYBE_NUMBERS or pickles.names_something(look, view):
        return False
    parts = [Part((), kind, 0, len(view), view=view)]
    other = Look(parts[0], parts, look.budget, read_part, look.watch)
    if kind == "pickle":
        _as_others(other, view, kind)
    else:
        read_part(other, view)
    return not any(part.globals or any(seen.kind != "unread" for seen in part.observations) for part in parts)


def numbers_beside(view: memoryview, limits: ScanLimits) -> frozenset[str]:
    """The files beside this one that it describes as numbers: those of a model of ONNX."""
    if kind_of(view) != "protobuf":
        return frozenset()
    parts = [Part((), "protobuf", 0, len(view), view=view)]
    look = Look(parts[0], parts, Budget(limits, len(view)), read_part, frozenset())
    try:
        return graphs.files_beside(look, view)
    except StreamError:  # whoever reads it says so
        return frozenset()


def read_part(look: Look, view: memoryview, given: str = "") -> None:
    """Read one part by its kind, `given` or told by its content; and as whatever else it can be taken for."""
    kind = look.part.kind = given or kind_of(view)
    if kind not in READERS:
        look.unread(0, "this is a file of another kind within a file")
        return
    if kind not in _NO_PICKLES and begins_like_a_pickle(view) and pickles.read_if_one(look, view):
        look.say("polyglot", 0, f"the bytes are a pickle as well as {kind}")
        look.part.kind = kind
    elif kind == "pickle" and not given and not _is_pickle(look, view):
        kind = "text"
    try:
        READERS[kind](look, view)
    except SafeloadError as error:
        look.unread(0, error.message)
    except Exception as error:  # a defect of a reader must not call the file clean, nor end the look at the others
        look.unread(0, f"{GAVE_UP}: {type(error).__name__}")
    if given == "pickle" and (own := kind_of(view)) not in _LIKE_NUMBERS:
        look.into(f"as {own}", view)  # nobody but us would look there
    if kind != "empty" and (not given or given in torch_tars.KINDS):
        _as_others(look, view, kind)


def _as_others(look: Look, view: memoryview, kind: str) -> None:
    """Archives are found by their end, and HDF5 behind whatever stands before it."""
    # An archive that is the last of another, or hangs behind a compressed stream, is looked into there; and in
    # archives HDF5 may be a member.
    hdf5 = kind not in ("hdf5", "tar", "zip") and any(True for _ in hdf5_offsets(view))
    others = {"zip": kind not in _CONTAINERS and ends_like_a_zip(view), "hdf5": hdf5}
    for other, fits in others.items():
        if fits:
            if kind != "pickle":  # which may hold the bytes of one
                look.say("polyglot", 0, f"the bytes are {kind}, and {other} as well")
            look.into(f"as {other}", view, kind=other)


def _is_pickle(look: Look, view: memoryview) -> bool:
    """Text may begin like one of protocol 0; then it breaks, and has named nothing."""
    if view[0] == 0x80 or not is_text(view) or pickles.is_one(look, view):
        return True
    look.part.kind = "text"
    texts.read_text(look, view)
    return False
