"""Errors keep their evidence, also on the way out of a worker process."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pytest

import safeload
from safeload import errors

if TYPE_CHECKING:
    from pathlib import Path

EVIDENCE: dict[str, dict[str, Any]] = {
    "UntrustedSignerError": {"keyids": ["ab"]},
    "BadSignatureError": {"keyid": "ab"},
    "KeyRefusedError": {"keyid": "ab", "owner": "Ada"},
    "KeyLifetimeError": {"keyid": "ab", "owner": "Ada"},
    "RevokedKeyError": {"keyid": "ab", "owner": "Ada"},
    "OutOfScopeError": {"keyid": "ab", "owner": "Ada"},
    "ThresholdError": {"role": "release", "needed": 1, "keyids": ["ab"]},
    "PreludeMismatchError": {"field": "flags"},
    "EnvironmentMismatchError": {"differences": ["x"]},
    "DigestMismatchError": {"leaf": 3},
    "DisallowedGlobalError": {"module": "os", "name": "system", "use": "called", "offset": 7},
    "UnsafeFileError": {"rule": "SL701", "offset": 7},
    "UnsafeStreamError": {"fact": "dup", "offset": 7},
    "StreamError": {"offset": 7},
    "MissingExtraError": {"extra": "lz4"},
    "CorruptMemberError": {"member": "m"},
    "NoIdentityError": {"wants": "identity"},
    "NotARecipientError": {"keyid": "ab"},
    "CorruptCiphertextError": {"chunk": 3},
}


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_survives_pickling_with_its_evidence(name: str) -> None:
    kind = getattr(errors, name)
    text = ("slug", "text") if issubclass(kind, errors.FormatError) else ("text",)
    error = kind(*text, **EVIDENCE.get(name, {}))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.hint, vars(again)) == (str(error), error.hint, vars(error))


def _load(path: str, trust: str) -> Any:
    return safeload.load(path, trust=trust)


def test_a_refusal_in_a_worker_process_reaches_the_caller(tmp_path: Path) -> None:
    safeload.keygen(tmp_path / "team")
    (tmp_path / "bad").write_bytes(b"no artifact")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        future = pool.submit(_load, str(tmp_path / "bad"), str(tmp_path / "team.pub"))
        with pytest.raises(errors.NotAnArtifactError):
            future.result()


def test_a_policy_can_be_sent_to_a_worker_process() -> None:
    policy = pickle.loads(pickle.dumps(safeload.Policy.default().allow("a.B")))
    assert policy.allowed == safeload.Policy.default().allow("a.B").allowed


def test_a_message_names_the_file_once() -> None:
    error = errors.CodecError("e is not a stream")
    error.locate("e")
    error.locate("other")
    assert str(error) == "e is not a stream"
    error = errors.CodecError("the object cannot be rebuilt")
    error.locate("e")
    error.locate("e")
    assert str(error) == "e: the object cannot be rebuilt"
