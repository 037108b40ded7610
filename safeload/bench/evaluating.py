"""One model, kept in three ways: what each costs, and whether all of them answer alike."""

from __future__ import annotations

import contextlib
import os
import warnings
from typing import TYPE_CHECKING, Any

from safeload.artifact.opened import authenticate
from safeload.artifact.verified import check_options
from safeload.bench.asking import Asked
from safeload.bench.evaluation import Evaluation
from safeload.bench.given import data_of
from safeload.bench.peers import NAMES, written
from safeload.bench.timing import Way, measure
from safeload.codecs import codec_of
from safeload.container.encodings import IDENTITY
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from safeload.bench.peers import Written
    from safeload.container.manifest import Manifest
    from safeload.keys import Identity, TrustStore
    from safeload.policy import Policy

__all__ = ["evaluate"]

StrPath = str | os.PathLike[str]
_OURS = "safeload"
_ENCRYPTED = "its file would hold in the clear what is encrypted"


def evaluate(
    filename: StrPath,
    X: Any = None,  # noqa: N803  as in scikit-learn
    y: Any = None,
    *,
    trust: TrustStore | StrPath | None = None,
    policy: Policy | None = None,
    identity: Identity | StrPath | None = None,
    passphrase: str | bytes | None = None,
    signature: StrPath | Sequence[StrPath] | None = None,
    predict: Callable[[Any, Any], Any] | None = None,
    repeats: int = 7,
) -> Evaluation:
    """Load a signed model, and measure it beside plain joblib and pickle: size, seconds, score, the same answers.

    The file is verified and loaded as by :func:`safeload.load`. The others are measured on files that this process
    itself writes of that object, into a private temporary folder; no other file is ever unpickled. Of an encrypted
    model no such files are made: they would hold it in the clear. ``print`` shows a table.

    Parameters
    ----------
    filename
        The path of an artifact.
    X
        What the model is asked about: an array, a table, a list of texts; or the path of an ``.npy`` file, or of a
        ``.csv`` file whose first line has the names of its columns. None: only loading is measured.
    y
        What it should have said: an array, or the path of an ``.npy`` file; of a ``.csv`` file also the name of the
        column, which then is none of the data. None: there is no score.
    trust, policy, identity, passphrase, signature
        As in :func:`safeload.load`.
    predict
        How the model is asked: a function of the model and X. None: ``predict`` or ``transform``, or a run of a session
        of onnxruntime with one input.
    repeats
        How often each is loaded; seconds are the median.

    Raises what :func:`safeload.load` raises, and ValueError for data that the model does not take.
    """
    if type(repeats) is not int or repeats < 1:
        raise ValueError(f"repeats must be a whole number from 1, got {repeats!r}")
    if y is not None and X is None:
        raise ValueError("y says what the model should say, and there is no X to ask it about")
    if not isinstance(filename, (str, os.PathLike)):
        raise TypeError(f"filename must be a path, which is opened again for each load; got {type(filename).__name__}")
    check_options(None, policy)

    def load() -> tuple[Any, Manifest, tuple[str, ...]]:
        with authenticate(filename, trust, signature) as artifact:
            value = artifact.load(policy=policy, identity=identity, passphrase=passphrase)
            return value, artifact.manifest, tuple(key.name for key in artifact.signers)

    value, manifest, signers = load()
    X, y = data_of(X, y)  # noqa: N806
    with contextlib.ExitStack() as stack:
        if manifest.encryption is not None:
            files: dict[str, Written | str] = dict.fromkeys(NAMES, _ENCRYPTED)
        else:  # before anything is asked: some models keep what they worked out
            files = stack.enter_context(written(value))
        asked = Asked(value, X, y, predict)
        kind = f"{type(value).__module__.partition('.')[0]}.{type(value).__qualname__}"
        del value
        ours = Way(_OURS, os.stat(filename).st_size, lambda: load()[0], may_fail=False)  # noqa: PTH116
        ways = [ours, *(_beside(name, file) for name, file in files.items())]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the first load and the first answers have said it
            measure(ways, asked, repeats)
    codec = codec_of(member.kind for member in manifest.members)
    return Evaluation(
        file=os.fspath(filename),
        model=kind.removeprefix("builtins."),
        codec=codec.name if codec else "",
        signers=signers,
        repeats=repeats,
        measure=asked.measure,
        score=asked.score,
        rows=tuple(way.row() for way in ways),
        notes=tuple(filter(None, [*_notes(manifest), asked.note])),
    )


def _beside(name: str, file: Written | str) -> Way:
    if isinstance(file, str):
        return Way(name, reason=file)
    return Way(name, file.size, file.load)


def _notes(manifest: Manifest) -> Iterator[str]:
    """Where sizes and seconds are not of the same thing."""
    yield "safeload also verifies the signature and every byte, and holds the content against the policy"
    if encodings := sorted({member.encoding for member in manifest.members} - {IDENTITY}):
        yield f"safeload's file is compressed ({printable(', '.join(encodings))}), the others are not"
    if manifest.encryption is not None:
        yield "safeload's file is encrypted, and is decrypted at each load"
