"""What is done with the model of one system; a tick is for what was done just now, and gave what it had to give."""

from __future__ import annotations

import os
import pickle
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safeload
from safeload.bench.comparing import is_same
from safeload.codecs import codec_of
from safeload.errors import DigestMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from systems_rows import Subject, System

__all__ = ["CHECKS", "run"]


@dataclass(slots=True)
class Desk:
    """The keys, the model, and its files: ours, and the system's own."""

    system: System
    subject: Subject
    folder: Path
    rounds: int
    size: int = 0
    dump: float = 0.0
    load: float = 0.0

    @property
    def ours(self) -> Path:
        return self.folder / "model.safeload"

    @property
    def key(self) -> Path:
        return self.folder / "team.key"

    @property
    def trust(self) -> Path:
        return self.folder / "team.pub"

    def loaded(self, path: Path) -> Any:
        into = self.subject.into() if self.subject.into else None
        return safeload.load(path, trust=self.trust, into=into)

    def check_answers(self, path: Path) -> None:
        if not is_same(self.subject.ask(self.loaded(path)), self.subject.ask(self.subject.value)):
            raise AssertionError("it answers otherwise than the model that was saved")


def run(system: System, rounds: int) -> dict[str, Any]:
    """The row, for JSON: `done` are the checks that succeeded, `why` says of the others what was raised."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place)
        safeload.keygen(folder / "team")
        desk = Desk(system, system.make(), folder, rounds)
        done, why = [], {}
        for name, check in CHECKS.items():
            try:
                check(desk)
                done.append(name)
            except Exception as error:  # whatever it is, there is no tick
                why[name] = f"{type(error).__name__}: {error}".splitlines()[0].replace(f"{folder}/", "")
        figures = {"size": desk.size, "dump": desk.dump, "load": desk.load}
        return {"codec": system.codec, "done": done, "why": why, **figures}


def save(desk: Desk) -> None:
    codec = desk.system.codec if desk.system.by_name else None

    def dump() -> Any:
        return safeload.dump(desk.subject.value, desk.ours, signer=desk.key, codec=codec)

    manifest = dump()
    found = codec_of(member.kind for member in manifest.members)
    if found is None or found.name != desk.system.codec:
        raise AssertionError(f"it is kept by {found and found.name}, and the row is about {desk.system.codec}")
    desk.dump, desk.size = median(dump, desk.rounds), desk.ours.stat().st_size


def load(desk: Desk) -> None:
    """Here, and in a process that has seen nothing of the model."""
    desk.check_answers(desk.ours)
    answers = desk.folder / "answers.pickle"
    command = [sys.executable, __file__, desk.system.name, str(desk.ours), str(desk.trust), str(answers)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if child.returncode:
        raise AssertionError(f"another process cannot: {(child.stderr.splitlines() or ['no word'])[-1]}")
    found = pickle.loads(answers.read_bytes())  # noqa: S301  # which our own process wrote just now
    if not is_same(found, desk.subject.ask(desk.subject.value)):
        raise AssertionError("in another process it answers otherwise than the model that was saved")
    desk.load = median(lambda: desk.loaded(desk.ours), desk.rounds)


def verify(desk: Desk) -> None:
    """The signature holds; and of a copy in which one bit of the model is another, it does not."""
    with safeload.verify(desk.ours, trust=desk.trust) as artifact:
        signers = [key.name for key in artifact.signers]
    if signers != ["team"]:
        raise AssertionError(f"it is signed by {signers}")
    changed = desk.folder / "changed.safeload"
    data = bytearray(desk.ours.read_bytes())
    with safeload.inspect(desk.ours) as opened:
        data[opened.layout.prelude.payload_off] ^= 1
    changed.write_bytes(data)
    try:
        safeload.verify(changed, trust=desk.trust).close()
    except DigestMismatchError:
        return
    raise AssertionError("a changed byte was not noticed")


def audit(desk: Desk) -> None:
    """The system's own file, and ours."""
    report = safeload.scan([own_file(desk), desk.ours], trust=desk.trust)
    if report.exit_code:
        first = next(file for file in report.files if file.findings or file.unread)
        raise AssertionError(f"{first.file}: {[*first.findings, *first.unread][0]}")


def convert(desk: Desk) -> None:
    path = desk.folder / "converted.safeload"
    policy = safeload.Policy.default().allow("skops.io.load", use="call") if desk.system.vouched else None
    safeload.convert(own_file(desk), path, signer=desk.key, policy=policy)
    desk.check_answers(path)


def own_file(desk: Desk) -> Path:
    """As the system itself writes it, in a folder of its own."""
    folder = desk.folder / "own"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    return desk.subject.write(folder)


def median(act: Callable[[], Any], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        value = act()
        taken.append(time.perf_counter() - start)
        del value
    return statistics.median(taken)


CHECKS: dict[str, Callable[[Desk], None]] = {
    "save": save,
    "load": load,
    "verify": verify,
    "audit": audit,
    "convert": convert,
}


def main() -> None:
    """``systems_checks.py SYSTEM FILE TRUST ANSWERS``: load the file, and write down what it answers."""
    from systems_rows import SYSTEMS

    name, path, trust, answers = sys.argv[1:]
    warnings.simplefilter("ignore")
    (system,) = (each for each in SYSTEMS if each.name == name)
    subject = system.make()  # another model, which only knows how to ask
    loaded = safeload.load(path, trust=trust, into=subject.into() if subject.into else None)
    Path(answers).write_bytes(pickle.dumps(subject.ask(loaded)))


if __name__ == "__main__":
    main()
