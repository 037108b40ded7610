"""Members back into files."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.container.atomic import atomic_file
from safeload.container.frames import write_all
from safeload.errors import SafeloadError
from safeload.kinds import FOLDERS, is_empty_folder

if TYPE_CHECKING:
    from safeload.artifact.verified import Artifact
    from safeload.keys import Identity

__all__ = ["unpack_into", "write_members"]


def unpack_into(
    artifact: Artifact,
    destination: str | os.PathLike[str],
    identity: Identity | str | os.PathLike[str] | None,
    passphrase: str | bytes | None,
) -> None:
    """Unlock the artifact, write what it holds, and log how that ended."""
    try:
        artifact.unlock(identity=identity, passphrase=passphrase)
        write_members(artifact, destination)
    except SafeloadError as error:
        artifact.log(error)
        raise
    artifact.log("verified")


def write_members(artifact: Artifact, destination: str | os.PathLike[str]) -> None:
    """One file becomes the file `destination`, several or a folder a new folder of that name; all of it or nothing.

    An encrypted artifact must be unlocked. Raises FileExistsError for a folder that is there, and what `Artifact.read`
    raises.
    """
    if len(artifact.members) == 1 and artifact.members[0].kind not in FOLDERS:
        _write(artifact, artifact.members[0].name, Path(destination))
        return
    target = Path(destination)
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "an artifact of several members is unpacked into a new folder", str(target))
    folder = target.with_name(f".safeload-{secrets.token_hex(8)}.tmp")
    folder.mkdir(0o700)  # nobody else puts anything into it, as long as it is not whole
    inside = folder / target.name
    inside.mkdir()
    try:
        for member in artifact.members:
            if is_empty_folder(member.kind):
                (inside / member.name).mkdir(parents=True)
                continue
            file = inside / member.name  # the container's rules for names leave no way out of the folder
            file.parent.mkdir(parents=True, exist_ok=True)
            _write(artifact, member.name, file)
        inside.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(artifact: Artifact, name: str, path: Path) -> None:
    data = artifact.read(name)
    with atomic_file(path) as fd:
        write_all(fd, data, 0)
