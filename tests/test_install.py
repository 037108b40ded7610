"""What the package declares is what it needs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata, resources
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_fickling_imports_with_what_we_declare() -> None:
    # Its own metadata forget typing_extensions, so ours name it.
    assert any(line.startswith("typing_extensions") for line in PROJECT["dependencies"])
    command = [sys.executable, "-W", "ignore", "-c", "from fickling.fickle import StackedPickle"]
    subprocess.run(command, check=True)


@pytest.mark.parametrize("name", ["python", "numpy", "scipy", "sklearn", "joblib"])
def test_the_allow_lists_are_part_of_the_package(name: str) -> None:
    assert resources.files("safeload.policy").joinpath("allow", f"{name}.toml").is_file()


def test_the_package_is_typed_and_has_a_command() -> None:
    assert resources.files("safeload").joinpath("py.typed").is_file()
    commands = [point for point in metadata.distribution("safeload").entry_points if point.name == "safeload"]
    assert [command.value for command in commands] == ["safeload.cli:main"]
