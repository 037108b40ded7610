"""Through an artifact and back, and what that takes."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import safeload

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys

__all__ = ["peak", "through"]

_LOADS = """
import sys, safeload
value = safeload.load(sys.argv[1], trust=sys.argv[2])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def through(value: Any, team: Keys, *, codec: str | None = None, **options: Any) -> Any:
    file = io.BytesIO()
    safeload.dump(value, file, signer=team.key, codec=codec)
    file.seek(0)
    return safeload.load(file, trust=team.pub, **options)


def peak(path: Path, team: Keys) -> int:
    """The most memory, in bytes, of a process that loads the artifact. Linux says that."""
    command = [sys.executable, "-c", _LOADS, str(path), str(team.pub)]
    return int(subprocess.run(command, capture_output=True, check=True).stdout) * 1024
