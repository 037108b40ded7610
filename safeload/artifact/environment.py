"""Versions at the time of saving, and what to do when they differ at the time of loading."""

from __future__ import annotations

import functools
import platform
import sys
import sysconfig
from typing import TYPE_CHECKING

from safeload.container.manifest import Environment
from safeload.errors import EnvironmentMismatchError
from safeload.text import printable
from safeload.warn import EnvironmentWarning, warn_caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["ENVIRONMENT_MODES", "check_environment", "environment_of"]

# The same library, with and without what GPUs need: which of the two is installed is no difference.
_TWINS: Mapping[str, str] = {
    "tensorflow": "tensorflow-cpu",
    "tensorflow-cpu": "tensorflow",
    "xgboost": "xgboost-cpu",
    "xgboost-cpu": "xgboost",
}
ENVIRONMENT_MODES = ("exact", "compatible", "ignore")


_OWNERS: dict[str, list[str]] = {}


def environment_of(modules: Iterable[str]) -> Environment:
    """This interpreter, and the versions of the distributions that own `modules`."""
    tops = {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names) - {"__main__"}
    versions = {name: _installed(name) for name in sorted(_owners(tops), key=str.lower)}
    return Environment(
        python=platform.python_version(),
        platform=sysconfig.get_platform(),
        distributions={name: version for name, version in versions.items() if version is not None},
    )


def _owners(tops: set[str]) -> set[str]:
    """The distributions that own these modules. To look through all files of all of them takes up to 0.3 s."""
    if not tops <= _OWNERS.keys():  # at the first model, or for what was installed since
        from importlib import metadata  # 20 ms, which inspecting and verifying do not need

        _OWNERS.update(metadata.packages_distributions())
    return {name for top in tops for name in _OWNERS.get(top, ())}


def check_environment(recorded: Environment, mode: str) -> None:
    """Compare `recorded` with this process.

    ``exact`` raises EnvironmentMismatchError, ``compatible`` warns once, ``ignore`` does not look.
    """
    if mode not in ENVIRONMENT_MODES:
        raise ValueError(f"environment must be one of {', '.join(ENVIRONMENT_MODES)}, got {mode!r}")
    if mode == "ignore":
        return
    differences = list(_differences(recorded))
    if not differences:
        return
    text = f"the model was saved in another environment: {'; '.join(differences)}"
    if mode == "exact":
        raise EnvironmentMismatchError(
            text, differences=differences, hint="install these versions, or load with environment='compatible'"
        )
    warn_caller(f"{text} (environment='ignore' silences this)", EnvironmentWarning)


def _differences(recorded: Environment) -> Iterator[str]:
    here = {"Python": platform.python_version(), "platform": sysconfig.get_platform()}
    for name, there in (("Python", recorded.python), ("platform", recorded.platform)):
        if there != here[name]:
            yield f"{name} {printable(there, 40)}, here {here[name]}"
    for name, there in recorded.distributions.items():
        version = _installed(name)
        if version != there:
            yield f"{printable(name, 60)} {printable(there, 40)}, here {version or 'not installed'}"


@functools.cache  # what a process runs does not change with what is installed beneath it; parsing costs 0.3 ms each
def _installed(name: str) -> str | None:
    from importlib import metadata

    for each in (name, _TWINS.get(name.lower().replace("_", "-"))):
        try:
            return metadata.version(each or "")
        except (metadata.PackageNotFoundError, ValueError):
            continue
    return None
