"""A token of SoftHSM with keys that were made inside it, through PKCS#11."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pkcs11
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from programs import absent, first
from safeload.hazmat import armor

if TYPE_CHECKING:
    import pytest

__all__ = ["PIN", "Hsm", "make_hsm"]

PIN = "40712906"
LABEL = "release"
_LIBRARIES = [
    *Path("/usr/lib").glob("*/softhsm/libsofthsm2.so"),
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/softhsm/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
]


@dataclass(frozen=True, slots=True)
class Hsm:
    """The token ``release`` holds the keys 2 and 3 on P-256, and 4 on P-384; ``folder`` has 2.pub, 3.pub and 4.pub."""

    folder: Path

    def pub(self, number: int) -> Path:
        return self.folder / f"{number}.pub"


def make_hsm(folder: Path, environment: pytest.MonkeyPatch) -> Hsm:
    """Make the token in `folder`, and say in the environment where it is."""
    library, tool = first(_LIBRARIES), shutil.which("softhsm2-util")
    if library is None or tool is None:
        absent("SoftHSM", "apt-get install softhsm2")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    environment.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
    environment.setenv("PYKCS11LIB", str(library))
    command = [tool, "--init-token", "--free", "--label", LABEL, "--so-pin", "73401925", "--pin", PIN]
    subprocess.run(command, check=True, capture_output=True)
    token = pkcs11.lib(str(library)).get_token(token_label=LABEL)
    with token.open(rw=True, user_pin=PIN) as session:
        for number, curve in ((2, "secp256r1"), (3, "secp256r1"), (4, "secp384r1")):
            parameters = session.create_domain_parameters(
                pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
            )
            public, _ = parameters.generate_keypair(store=True, id=bytes([number]), label=f"key {number}")
            pem = armor.render_block("PUBLIC KEY", encode_ec_public_key(public))
            (folder / f"{number}.pub").write_bytes(pem)
    return Hsm(folder)
