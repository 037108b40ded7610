"""Files that were changed at random: no crash, no reader that gives up, bounded time. A short run of many."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import safeload
from safeload.readers.files.table import GAVE_UP

FILES = [
    path.read_bytes()
    for path in sorted((Path(__file__).parent / "data" / "scan").iterdir())
    if path.suffix not in (".h5", ".hkl", ".keras")  # a process each; test_scan_formats.py changes these too
]


def changed(rng: random.Random) -> bytes:
    data = bytearray(rng.choice(FILES))
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data))
        other = rng.choice(FILES)
        start = rng.randrange(len(other))
        match rng.randrange(6):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                data[at : at + 8] = bytes([rng.choice([0, 255, 127])]) * 8
            case 2:
                del data[at : at + rng.randint(1, 60)]
            case 3:
                data[at:at] = data[at : at + rng.randint(1, 200)]
            case 4:
                data[at:at] = other[start : start + rng.randint(1, 400)]
            case _:
                data[at : at + 4] = rng.randrange(1 << 32).to_bytes(4, "little")
        data = data or bytearray(b"x")
    return bytes(data)


@pytest.mark.parametrize("seed", range(8))
def test_no_file_ends_the_scan_or_takes_long(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    for number in range(100):
        data = changed(rng)
        start = time.process_time()
        (file,) = safeload.scan(io.BytesIO(data)).files
        assert time.process_time() - start < 10, (seed, number)
        assert not [each for each in file.unread if GAVE_UP in each.text], (seed, number, file.unread)


PEAK = """
import io, random, safeload
from test_scan_mutations import changed
rng = random.Random(99)
for _ in range(400):
    safeload.scan(io.BytesIO(changed(rng)))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process took")
def test_no_file_takes_much_memory() -> None:
    command = [sys.executable, "-c", PEAK]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, check=True)
    assert int(done.stdout) * 1024 < 300_000_000
