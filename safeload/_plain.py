"""The verbs for files that nobody signed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from safeload._writing import writing_of
from safeload.artifact.dumping import dump_object
from safeload.artifact.folders import is_folder, load_folder
from safeload.artifact.judging import needs_of_file
from safeload.artifact.opened import file_name
from safeload.artifact.saving import json_object, model_info, save
from safeload.artifact.verified import check_options
from safeload.codecs import CODECS, Held, LoadOptions
from safeload.codecs.foreign import load_foreign
from safeload.container.layout import MAGIC
from safeload.container.source import allocate, open_source
from safeload.errors import CodecError, SafeloadError
from safeload.limits import DEFAULT_LIMITS, Limits
from safeload.policy import Policy
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safeload.container.manifest import Manifest
    from safeload.keys import Recipient, Signer
    from safeload.policy.needs import Needs

    Recipients = Iterable[Recipient | str | os.PathLike[str]] | Recipient | str | os.PathLike[str]

__all__ = ["convert", "load_untrusted", "needs"]

StrPath = str | os.PathLike[str]
File = StrPath | IO[bytes]
Compress = int | bool | str | tuple[str, int | None]


def load_untrusted(
    source: File, mmap_mode: str | None = None, *, policy: Policy | None = None, limits: Limits = DEFAULT_LIMITS
) -> Any:
    """Rebuild the object in a plain pickle or joblib file, compressed or not, that nobody signed.

    The same analysis, policy and unpickler as in :func:`load`. Files of other programs are looked into as by
    :func:`scan`, and then loaded by the framework itself: ``.npy`` and ``.npz`` without objects, PyTorch's state dicts
    (``weights_only``), Keras' archives and ``.h5`` models, files of hickle 5, ONNX (as a ``ModelProto``), PMML (as an
    evaluator), a folder that is a SavedModel, or a model of ONNX and its numbers (as a session); those of xgboost,
    lightgbm and catboost where the policy holds these.
    Raises PolicyError, CodecError, LimitError, OSError.
    """
    check_options(mmap_mode, policy)
    if is_folder(source):
        return load_folder(source, _options(mmap_mode, policy, limits))[0]
    return _rebuilt(source, mmap_mode, policy, limits)[0]


def needs(source: File, *, policy: Policy | None = None, limits: Limits = DEFAULT_LIMITS) -> Needs:
    """What stands between a file and loading it under `policy`, found without loading or importing anything of it.

    `source` is a plain pickle or joblib file, compressed or not, or an artifact, whose signatures are not looked at.
    `policy` is what may load; None is ``Policy.default()``. Nothing is promised of values: contracts look at them while
    an object is rebuilt. Raises OSError, and StreamError, CodecError, FormatError or LimitError for what cannot be read
    to its end.
    """
    check_options(None, policy)
    return needs_of_file(source, policy or Policy.default(), limits)


def convert(
    source: File,
    filename: File,
    compress: Compress = 0,
    protocol: int | None = None,
    *,
    signer: Signer | StrPath | None = None,
    policy: Policy | None = None,
    digest: str = "blake3",
    recipients: Recipients | None = None,
    passphrase: str | bytes | None = None,
    metadata: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Manifest:
    """Rebuild the object of a plain file under guard and save it signed. Parameters as in the two functions it joins.

    Raises PolicyError and CodecError before anything is written.
    """
    writing = writing_of(signer, compress, digest, recipients, passphrase, warn=policy is None)
    check_options(None, policy)
    if is_folder(source):
        _, chosen, parts = load_folder(source, _options(None, policy, DEFAULT_LIMITS))
        return save(filename, parts, writing, json_object(metadata), model_info(name), chosen.libraries)
    value, codec = _rebuilt(source, None, policy, DEFAULT_LIMITS)
    return dump_object(value, filename, writing, json_object(metadata), model_info(name), protocol, codec)


def _options(mmap_mode: str | None, policy: Policy | None, limits: Limits, folder: str | None = None) -> LoadOptions:
    return LoadOptions(policy=policy or Policy.untrusted(), mmap_mode=mmap_mode, limits=limits, folder=folder)


def _rebuilt(source: File, mmap_mode: str | None, policy: Policy | None, limits: Limits) -> tuple[Any, str | None]:
    """The object of a plain file, and the codec that keeps it as it was kept there; None lets its type choose."""
    name = file_name(source)
    opened = open_source(source)
    try:
        memory = allocate(opened.size)
        opened.read_into(0, memory)
    finally:
        opened.close()
    if bytes(memory[: len(MAGIC)]) == MAGIC:
        raise CodecError(f"{printable(name)} is a safeload file already", hint="safeload.load(), with a trust store")
    folder = str(Path(os.path.realpath(source)).parent) if isinstance(source, (str, os.PathLike)) else None
    options = _options(mmap_mode, policy, limits, folder)
    held = Held("", "joblib", lambda: memory)
    try:
        foreign = load_foreign(memory, held, options)
        return (CODECS["joblib"].load([held], options), "joblib") if foreign is None else (foreign[0], None)
    except SafeloadError as error:
        error.locate(name)
        raise
