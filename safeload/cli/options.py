"""Options that several commands share, and what becomes of them."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from safeload.cli.keyoptions import PASSPHRASE, KeySource, key_option, signer_of
from safeload.errors import NoTrustError
from safeload.keys import TrustStore, trust_from
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "FILE",
    "PASSPHRASE",
    "KeySource",
    "allow_options",
    "check_output",
    "compress_option",
    "digest_option",
    "format_option",
    "json_option",
    "key_option",
    "metadata_option",
    "misuse",
    "output_option",
    "signature_option",
    "signer_of",
    "trust_of",
    "trust_option",
    "trust_root_option",
    "untrusted_option",
    "writing_options",
]

F = TypeVar("F", bound="Callable[..., Any]")
Compress = int | str | tuple[str, int]

FILE = click.Path()

trust_option = click.option(
    "--trust",
    type=FILE,
    metavar="PATH",
    help="Whose signatures count: a folder of .pub files, or one .pub or .hmac file; default: SAFELOAD_TRUST.",
)
trust_root_option = click.option(
    "--trust-root",
    type=FILE,
    metavar="PATH",
    help="Who must have signed the store's trust.toml; default: SAFELOAD_TRUST_ROOT.",
)
signature_option = click.option(
    "--signature",
    type=FILE,
    metavar="FILE",
    multiple=True,
    help="Further signatures, which sign --detached wrote; may be given more than once.",
)
output_option = click.option("-o", "--output", type=FILE, required=True, metavar="FILE", help="The file to write.")
untrusted_option = click.option(
    "--untrusted", is_flag=True, help="By the policy for files that nobody signed; default: by that for artifacts."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document, for machines.")


def format_option(command: F) -> F:
    """``--format``, and ``--json`` for short; the command takes `as_json`."""

    @functools.wraps(command)
    def run(*arguments: Any, output: str, as_json: bool, **options: Any) -> Any:
        return command(*arguments, as_json=as_json or output == "json", **options)

    choice = click.option(
        "--format",
        "output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Text for people, or one JSON document.",
    )
    return choice(json_option(run))  # type: ignore[return-value]  # click's decorators give what they are given


def allow_options(command: F) -> F:
    """What widens a policy by name."""
    return _ALLOW(_ALLOW_CALL(command))


def trust_of(path: str | None, root: str | None = None) -> TrustStore:
    """The store of ``--trust``, signed as ``--trust-root`` asks."""
    try:
        return trust_from(path, root)
    except NoTrustError as error:
        error.hint = "make a store with: safeload trust add team.pub --store keys/; then add: --trust keys/"
        raise


def check_output(output: str, source: str) -> None:
    """Refuse to write over what is read, and name the folder that is missing, before any work is done."""
    parent = str(Path(output).parent)
    if not os.path.isdir(parent):  # noqa: PTH112  Path.is_dir raises for a name that is too long
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), parent)
    if os.path.isdir(output):  # noqa: PTH112
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), output)
    if os.path.exists(output) and os.path.exists(source) and os.path.samefile(output, source):  # noqa: PTH110, PTH121
        raise click.UsageError(f"-o {printable(output)} is the file that is read")


@contextlib.contextmanager
def misuse() -> Iterator[None]:
    """The API's ValueError is about an argument, which here stood on the command line."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise click.UsageError("a file name that becomes part of the artifact must be valid Unicode") from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def writing_options(command: F) -> F:
    """What `pack` and `convert` take, and `dump` in Python."""
    for option in (metadata_option, _NAME, digest_option, compress_option, key_option, output_option):
        command = option(command)
    return command


def _compress(context: click.Context, parameter: click.Parameter, value: str) -> Compress:
    """``0`` to ``9``, a name, or ``name:level``, as joblib's ``compress`` has an int, a name or a pair."""
    method, colon, level = value.partition(":")
    if not colon:
        return int(value) if value.isdecimal() and value.isascii() else method
    if not (level.isdecimal() and level.isascii()):
        raise click.BadParameter(f"the level of {value!r} is not a number", context, parameter)
    return method, int(level)


def _metadata(context: click.Context, parameter: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE", context, parameter)
        if name in found:
            raise click.BadParameter(f"{name!r} stands there twice", context, parameter)
        if any("\ud800" <= char <= "\udfff" for char in pair):
            raise click.BadParameter(f"{pair!r} is not valid UTF-8", context, parameter)
        found[name] = value
    return found


_ALLOW = click.option(
    "--allow", multiple=True, metavar="MODULE.NAME", help="A class of yours that may be rebuilt; may be repeated."
)
_ALLOW_CALL = click.option(
    "--allow-call",
    multiple=True,
    metavar="MODULE.NAME",
    help="What may also be called while loading, such as an enum of yours; may be repeated.",
)
compress_option = click.option(
    "--compress",
    default="0",
    callback=_compress,
    metavar="METHOD[:LEVEL]",
    help="zstd, zlib, bz2, lzma, xz, lz4 or gzip, with a level if you like (zstd:19); default: none.",
)
digest_option = click.option(
    "--digest", type=click.Choice(["blake3", "sha256"]), default="blake3", show_default=True, help="The hash function."
)
_NAME = click.option(
    "--name", metavar="NAME", help="What the model is called, such as churn: a trust store can say who may sign it."
)
metadata_option = click.option(
    "--metadata",
    multiple=True,
    callback=_metadata,
    metavar="KEY=VALUE",
    help="Text that is signed with the model; may be repeated.",
)
