"""``safeload explain``"""

from __future__ import annotations

import click

from safeload.cli import ui

__all__ = ["explain"]


@click.command()
@click.argument("rules", nargs=-1, metavar="[RULE]...")
def explain(rules: tuple[str, ...]) -> None:
    """Say why a rule of scan matters, and what to do.

    Without a rule it lists them all.

    \b
    Example:
      safeload explain SL101
    """
    from safeload import RULES

    if not rules:
        ui.table(["rule", "severity"], [[f"{rule.id} {rule.title}", rule.severity.word] for rule in RULES.values()])
        return
    for name in rules:
        rule = RULES.get(name.upper())
        if rule is None:
            raise click.UsageError(f"there is no rule {name}; safeload explain lists them all")
        ui.out(f"{rule.id} {rule.title} ({rule.severity.word})")
        ui.out(f"  {rule.why}")
        ui.out(f"  {rule.do}")
