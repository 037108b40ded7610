"""Write every vector and key to tests/vectors: ``python tests/testkit/make_vectors.py``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from testkit.scenarios import all_vectors
from testkit.vector import VECTORS, keys


def main() -> None:
    (VECTORS / "keys").mkdir(parents=True, exist_ok=True)
    for name, text in keys().items():
        (VECTORS / "keys" / name).write_bytes(text)
    for old in VECTORS.glob("*.vec"):
        old.unlink()
    for count, vector in enumerate(all_vectors(), 1):
        (VECTORS / f"{vector.name}.vec").write_bytes(vector.encode())
        sys.stdout.write(f"\r{count} vectors")
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
