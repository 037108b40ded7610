"""The pages of docs/howto, run as somebody would who follows them from the top."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import joblib
import pytest

pytestmark = pytest.mark.once

HOWTO = Path(__file__).parents[1] / "docs" / "howto"
PAGES = sorted(page.name for page in HOWTO.glob("*.md"))


def commands(page: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", (HOWTO / page).read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_the_commands_of_a_page_do_what_it_says(page: str, tmp_path: Path) -> None:
    joblib.dump([1, 2], tmp_path / "m.joblib")
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    for block in commands(page):
        # `! command` is one that must fail, and with a refusal: bash's `set -e` looks away from it.
        lines = [re.sub(r"^! (.*)$", r"code=0; \1 || code=$?; test $code = 1", line) for line in block.splitlines()]
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (block, done.stdout, done.stderr)


def test_the_errors_of_a_page_are_those_that_are_printed(tmp_path: Path) -> None:
    page = (HOWTO / "sign-together.md").read_text("utf-8")
    shown = re.search(r"safeload: error: (.*)\nsafeload: hint: (.*)\n", page)
    assert shown
    from safeload.errors import ThresholdError
    from safeload.keys import KeyTerms, keygen, trust_add, trust_role

    names = ("ada", "bob", "eve")
    for name in names:
        keygen(tmp_path / name)
        trust_add(tmp_path / f"{name}.pub", tmp_path / "keys", KeyTerms(owner="Ada Lovelace"))
    trust_role("release", names, 2, tmp_path / "keys")
    import safeload

    safeload.dump(1, tmp_path / "churn.safeload", signer=tmp_path / "ada.key")
    with pytest.raises(ThresholdError) as caught:
        safeload.verify(tmp_path / "churn.safeload", trust=tmp_path / "keys")
    said = re.sub(r"\([0-9a-f]{8}", "(28f3dade", str(caught.value).replace(f"{tmp_path}{os.sep}", ""))
    assert said.split("\n")[0] == shown[1]
    assert caught.value.hint == shown[2]
