"""The command `safeload`: each command's module is imported when it is asked for, so that every start is quick."""

from __future__ import annotations

import importlib

import click

from safeload._version import __version__
from safeload.cli import ui

__all__ = ["COMMANDS", "HelpfulGroup", "safeload"]

# In the order in which a model meets them.
COMMANDS: dict[str, str] = {
    "keygen": "safeload.cli.keygen",
    "trust": "safeload.cli.trust",
    "pack": "safeload.cli.pack",
    "unpack": "safeload.cli.unpack",
    "sign": "safeload.cli.sign",
    "export-oms": "safeload.cli.export_oms",
    "rewrap": "safeload.cli.rewrap",
    "verify": "safeload.cli.verify",
    "inspect": "safeload.cli.inspect",
    "scan": "safeload.cli.scan",
    "explain": "safeload.cli.explain",
    "convert": "safeload.cli.convert",
    "bench": "safeload.cli.bench",
    "policy": "safeload.cli.policy",
    "store": "safeload.cli.store",
    "demo": "safeload.cli.demo",
}


class HelpfulGroup(click.Group):
    """Without a command it shows its help, on stderr and as a usage error, in every version of click."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            ui.note(ctx.get_help())
            ctx.exit(2)
        return super().parse_args(ctx, args)


class SafeloadGroup(HelpfulGroup):
    """Imports the module of a command when the command is asked for."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib  # only who mistypes waits for it

            if near := difflib.get_close_matches(args[0], self.list_commands(ctx), 1):
                raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", ctx) from error
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.group(
    cls=SafeloadGroup,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="safeload", message="%(prog)s %(version)s")
def safeload() -> None:
    """Sign a machine-learning model into one file, verify it, and load it without running what is in it.

    \b
    Example:
      safeload keygen team
      safeload pack model.joblib -o model.safeload --key team.key
      safeload verify model.safeload --trust team.pub
    """
