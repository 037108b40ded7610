"""``safeload policy``: what may load, and what a model needs."""

from __future__ import annotations

import click

from safeload.cli.group import HelpfulGroup
from safeload.cli.policy.check import check
from safeload.cli.policy.learn import learn
from safeload.cli.policy.show import list_names, show

__all__ = ["policy"]


@click.group(cls=HelpfulGroup, no_args_is_help=False)
def policy() -> None:
    """See what may load, and what a model needs; loads nothing.

    \b
    Example:
      safeload policy learn model.pkl
      safeload policy check model.pkl --allow mypkg.features.Scaler
    """


for command in (learn, check, show, list_names):
    policy.add_command(command)
