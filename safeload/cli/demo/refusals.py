"""The part of the demo that must be refused. Each makes a bad file and does to it what a careless user would."""

from __future__ import annotations

import os
import pickle
import shlex
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import safeload
from safeload import errors
from safeload.cli.demo.checks import check

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from safeload.cli.demo.bench import Bench

__all__ = ["REFUSALS", "Refusal", "refused"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """`attempt` must raise `expected`, and nothing else; `besides` is what can be seen then, beside the message."""

    title: str
    expected: type[errors.SafeloadError]
    attempt: Callable[[Bench], object]
    besides: str = ""


def refused(refusal: Refusal, bench: Bench) -> errors.SafeloadError:
    """The refusal. Raises CheckFailedError if something was loaded, or ran."""
    try:
        refusal.attempt(bench)
    except refusal.expected as error:
        check(not bench.marker.exists(), "the payload ran before it was refused")
        return error
    check(not bench.marker.exists(), "the payload ran")
    check(False, "it was not refused")
    raise AssertionError  # not reached


def flip_a_payload_bit(bench: Bench) -> None:
    path = bench.copy("payload-bit")
    with safeload.inspect(path) as file:
        prelude = file.layout.prelude
    _flip(path, prelude.payload_off + prelude.payload_len // 2)
    safeload.load(path, trust=bench.trust)


def flip_a_manifest_bit(bench: Bench) -> None:
    path = bench.copy("manifest-bit")
    with safeload.inspect(path) as file:
        at = file.manifest_bytes.index(b'"hyperparameters"')
        offset = file.layout.prelude.manifest_off + at + 1
    _flip(path, offset)
    safeload.load(path, trust=bench.trust)


def _flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def sign_as_a_stranger(bench: Bench) -> None:
    path = bench.signed("stranger")
    safeload.dump(bench.fitted["digits"].model, path, signer=bench.folder / "stranger.key")
    safeload.load(path, trust=bench.trust)


def strip_the_signature(bench: Bench) -> None:
    path = bench.copy("stripped")
    with safeload.inspect(path) as file:
        end = file.layout.records_off
    os.truncate(path, end)
    safeload.load(path, trust=bench.trust)


class _Payload:
    """Pickled, it is a call of os.system: what `pickle.load` or `joblib.load` of it would run."""

    def __init__(self, marker: Path) -> None:
        self._command = f"touch {shlex.quote(str(marker))}"

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self._command,)


def malicious_pickle(bench: Bench) -> Path:
    path = bench.folder / "malicious.pkl"
    path.write_bytes(pickle.dumps(_Payload(bench.marker)))
    return path


def load_a_signed_call(bench: Bench) -> None:
    path = bench.signed("signed-call")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", safeload.PolicyWarning)  # pack does say so
        safeload.pack(malicious_pickle(bench), path, signer=bench.key)
    with safeload.verify(
        path, trust=bench.trust
    ) as artifact:  # the signature is good: it says who, not that it is safe
        artifact.load()


def convert_a_malicious_pickle(bench: Bench) -> None:
    path = bench.signed("converted")
    try:
        safeload.convert(malicious_pickle(bench), path, signer=bench.key)
    finally:
        check(not path.exists(), "a file was written and signed")


_NOTHING_RAN = "its command is `touch MARKER`, and there is no MARKER: nothing ran"

REFUSALS: tuple[Refusal, ...] = (
    Refusal("one bit of the payload flipped", errors.DigestMismatchError, flip_a_payload_bit),
    Refusal("one bit of the manifest flipped", errors.BadSignatureError, flip_a_manifest_bit),
    Refusal("signed by a stranger", errors.UntrustedSignerError, sign_as_a_stranger),
    Refusal("the signature cut off", errors.UnsignedError, strip_the_signature),
    Refusal(
        "signed by team, and calls os.system", errors.DisallowedGlobalError, load_a_signed_call, besides=_NOTHING_RAN
    ),
    Refusal(
        "a plain pickle that calls os.system, given to convert",
        errors.DisallowedGlobalError,
        convert_a_malicious_pickle,
        besides=_NOTHING_RAN,
    ),
)
