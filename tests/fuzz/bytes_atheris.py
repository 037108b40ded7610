"""The fuzzer of bytes, guided by coverage: analysis, policy and load of whatever comes.

    pip install '.[fuzz]'
    python tests/fuzz/bytes_atheris.py CORPUS -max_len=4096 -timeout=10 -rss_limit_mb=2048 -max_total_time=600

CORPUS is a folder; small valid streams are written there first. The flags are libFuzzer's: an input that takes longer
or more memory than they say is a finding too.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import atheris

sys.path[0] = str(Path(__file__).resolve().parents[1])

with atheris.instrument_imports(include=["safeload.readers", "safeload.policy", "safeload.engine"]):
    import safeload  # noqa: F401
    from safeload.engine import loading  # noqa: F401

from fuzz.corpus import seeds  # noqa: E402
from fuzz.oracles import check_bytes  # noqa: E402


def _one_input(data: bytes) -> None:
    check_bytes(data)


def main() -> None:
    folder = Path(next((one for one in sys.argv[1:] if not one.startswith("-")), "fuzz-corpus"))
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds():
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    atheris.Setup(sys.argv, _one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
