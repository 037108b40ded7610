"""What the documents say is what happens."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Keys

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, team: Keys) -> Path:
    shutil.copy(team.key, tmp_path)
    shutil.copy(team.pub, tmp_path)
    return tmp_path


def test_the_first_two_shell_blocks_are_one_line_each() -> None:
    demo, tests = _blocks(README, "sh")[:2]
    assert demo.count("\n") == tests.count("\n") == 1
    assert demo.rstrip().endswith("safeload demo")
    assert " -m pytest " in tests


def test_the_python_code_of_the_readme_runs(folder: Path) -> None:
    code = "\n".join(_blocks(README, "python"))
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    refused, signer = ran.stdout.splitlines()
    assert refused.startswith("changed.safeload: the payload was changed: leaf 0")
    assert signer == "team 100"


def test_the_five_lines_work_in_two_processes(folder: Path) -> None:
    for code in _blocks(README, "python")[:2]:
        subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=folder, check=True)


def test_the_security_page_shows_how_openssl_checks_a_signature(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", _blocks(README, "python")[0]], cwd=folder, check=True)
    (recipe,) = _blocks((ROOT / "SECURITY.md").read_text("utf-8"), "sh")
    ran = subprocess.run(["bash", "-euc", recipe], cwd=folder, capture_output=True, text=True, check=False)
    assert ran.stdout == "Signature Verified Successfully\n", ran.stderr


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("keys/*.md")]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_commands_of_the_readme_exist() -> None:
    listed = set(re.findall(r"^safeload ([a-z]+)", "\n".join(_blocks(README, "text")), re.MULTILINE))
    for command in listed:
        ran = subprocess.run([sys.executable, "-m", "safeload", command, "--help"], capture_output=True, check=False)
        assert ran.returncode == 0, command
