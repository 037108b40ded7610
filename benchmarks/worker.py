"""A process that does what is measured when it is told to, in the environment that its interpreter has.

A line of JSON says what, ``{"do": name, ...}``; the answer is a line ``{"found": number}``, or ``{"error": text}``.
Times are in seconds, memory in bytes. What is loaded is freed after the clock has stopped.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HELD: list[Any] = []  # what `hold` loaded, to be saved


def timed(deed: Callable[[], Any], times: int = 1) -> float:
    value = None
    start = time.perf_counter()
    for _ in range(times):
        value = deed()
    taken = time.perf_counter() - start
    del value
    return taken


# --- loading ----------------------------------------------------------------------------------------------------------


def joblib_load(path: str, times: int = 1) -> float:
    import joblib

    return timed(lambda: joblib.load(path), times)


def safeload_load(path: str, trust: str, identity: str | None = None, times: int = 1) -> float:
    import safeload

    return timed(lambda: safeload.load(path, trust=trust, identity=identity), times)


def sha256_joblib_load(path: str, digest: str) -> float:
    """What careful people do by hand: the digest of the file, then joblib."""
    import joblib

    def load() -> Any:
        with Path(path).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise ValueError("the file is another one")
        return joblib.load(path)

    return timed(load)


def skops_load(path: str) -> float:
    import skops.io

    trusted = skops.io.get_untrusted_types(file=path)
    return timed(lambda: skops.io.load(path, trusted=trusted))


def model_signing_load(path: str, signature: str, key: str) -> float:
    import joblib
    from model_signing import verifying

    def load() -> Any:
        verifying.Config().use_elliptic_key_verifier(public_key=key).verify(Path(path).parent, signature)
        return joblib.load(path)

    return timed(load)


# --- saving -----------------------------------------------------------------------------------------------------------


def hold(path: str) -> float:
    import joblib

    HELD[:] = [joblib.load(path)]
    return 0.0


def joblib_dump(path: str) -> float:
    """With what safeload does too: the bytes are on the disk when it returns."""
    import joblib

    def dump() -> None:
        joblib.dump(HELD[0], path)
        with Path(path).open("rb") as file:
            os.fsync(file.fileno())

    return timed(dump)


def safeload_dump(path: str, signer: str) -> float:
    import safeload

    return timed(lambda: safeload.dump(HELD[0], path, signer=signer))


def skops_dump(path: str) -> float:
    import skops.io

    return timed(lambda: skops.io.dump(HELD[0], path))


def model_signing_sign(folder: str, signature: str, key: str) -> float:
    from model_signing import signing

    return timed(lambda: signing.Config().use_elliptic_key_signer(private_key=key).sign(folder, signature))


# --- memory -----------------------------------------------------------------------------------------------------------


def _status(name: str, process: str = "self", file: str = "status") -> int:
    lines = Path(f"/proc/{process}/{file}").read_text("utf-8").splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def peak(deed: str, small: dict[str, Any], **arguments: Any) -> float:
    """How much more memory the process had at the most, while it did that; `small` is the same with a small file."""
    DEEDS[deed](**small)  # imports what is needed
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", "utf-8")  # the highest is the present one from now on
    before = _status("VmRSS")
    DEEDS[deed](**arguments)
    return float(_status("VmHWM") - before)


def forked(path: str, trust: str | None = None, processes: int = 4) -> float:
    """What this process and its children have together, after each child has read all of what was loaded before."""
    import joblib
    import numpy as np

    import safeload

    empty = _status("Pss", file="smaps_rollup")
    value = joblib.load(path) if trust is None else safeload.load(path, trust=trust)
    children = []
    for _ in range(processes):
        ready, ready_end = os.pipe()
        child = os.fork()
        if not child:
            total = float(sum(np.sum(array) for array in value.values()))
            os.write(ready_end, b"1" if np.isfinite(total) else b"0")
            signal.pause()
        os.read(ready, 1)
        children.append(child)
    total = sum(_status("Pss", str(process), "smaps_rollup") for process in ("self", *children))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return float(total - empty)


DEEDS: dict[str, Callable[..., float]] = {
    deed.__name__: deed
    for deed in (
        joblib_load, safeload_load, sha256_joblib_load, skops_load, model_signing_load,
        hold, joblib_dump, safeload_dump, skops_dump, model_signing_sign, peak, forked,
    )
}  # fmt: skip


def main() -> None:
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer: dict[str, Any] = {"found": DEEDS[asked.pop("do")](**asked)}
        except Exception as error:  # of any library; whoever asked says what becomes of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
