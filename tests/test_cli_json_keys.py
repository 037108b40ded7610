"""What a program reads of the commands that make something."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

import safeload
from safeload.cli.group import safeload as command

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys


def test_keygen_and_sign_say_who_the_key_is(tmp_path: Path, team: Keys) -> None:
    made = CliRunner().invoke(command, ["keygen", str(tmp_path / "second"), "--json"])
    document = json.loads(made.stdout)
    assert document["files"] == [str(tmp_path / "second.key"), str(tmp_path / "second.pub")]
    assert document["keyid"] == safeload.TrustStore.from_file(tmp_path / "second.pub").keys[0].keyid
    target = tmp_path / "m.safeload"
    safeload.dump([1], target, signer=team.key)
    signed = CliRunner().invoke(command, ["sign", str(target), "--key", str(tmp_path / "second.key"), "--json"])
    assert json.loads(signed.stdout) == {"file": str(target), "keyid": document["keyid"], "algorithm": "ed25519"}
    assert safeload.inspect(target).records[1].keyid == document["keyid"]
