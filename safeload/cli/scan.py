"""``safeload scan``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from safeload.cli import ui
from safeload.cli.options import allow_options, misuse
from safeload.report.table import RENDERERS

if TYPE_CHECKING:
    from safeload import Report

__all__ = ["scan"]

_SEVERITIES = ("info", "low", "medium", "high", "critical")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATHS", type=click.Path(path_type=str))
@click.option("--format", "form", type=click.Choice(["text", *RENDERERS]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report there, and the text here.")
@click.option("--fail-on", type=click.Choice(_SEVERITIES), default="medium", show_default=True, help="What counts.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out, as .gitignore has it. Repeatable.")
@click.option("--jobs", type=int, default=1, show_default=True, help="Processes; -1 is one for each core.")
@click.option("--dask", metavar="ADDRESS", help="Scan on a cluster of Dask: tcp://scheduler:8786.")
@click.option("--max-size", type=int, metavar="MB", help="Do not read files that are larger; they count as unread.")
@click.option("--trust", metavar="STORE", help="Trust store or key, for signed artifacts.")
@click.option("--second-opinion", is_flag=True, help="Ask fickling, too; what it says is information only.")
@click.option("--explain", is_flag=True, help="Show the Python that fickling makes of each pickle.")
@click.option("--policy", "policy_file", metavar="FILE", envvar="SAFELOAD_POLICY", help="TOML that widens the policy.")
@click.option("--all", "everything", is_flag=True, help="Show every finding and every file.")
@allow_options
@click.pass_context
def scan(
    context: click.Context,
    paths: tuple[str, ...],
    form: str,
    output: str | None,
    fail_on: str,
    exclude: tuple[str, ...],
    jobs: int,
    dask: str | None,
    max_size: int | None,
    trust: str | None,
    allow: tuple[str, ...],
    allow_call: tuple[str, ...],
    *,
    second_opinion: bool,
    explain: bool,
    policy_file: str | None,
    everything: bool,
) -> None:
    """Look into model files that others made; loads nothing.

    PATHS are files, folders, patterns, or URLs such as s3://bucket/models. Exit code: 1 if anything
    was found at or above --fail-on, else 2 if anything could not be read to its end, else 0.

    \b
    Example:
      safeload scan downloads/
      safeload scan model.pkl --format html -o report.html
    """
    import safeload

    with misuse():
        policy = safeload.Policy.read(policy_file) if policy_file else safeload.Policy.audit()
        policy = policy.allow(*allow).allow(*allow_call, use=("new", "build", "reference", "call"))
    limits = safeload.ScanLimits() if max_size is None else safeload.ScanLimits(size=max_size * 1_000_000)
    with ui.progress() as step:
        report = safeload.scan(
            paths, policy=policy, trust=trust, limits=limits, fail_on=fail_on, exclude=exclude,
            jobs=jobs, dask=dask, second_opinion=second_opinion or explain, progress=step,
        )  # fmt: skip
    _write(report, form, output, everything=everything, explain=explain)
    context.exit(report.exit_code)


def _write(report: Report, form: str, output: str | None, *, everything: bool, explain: bool) -> None:
    if form == "text" or output:
        from safeload.report.plain import explained, lines_of

        for line in (*(explained(report) if explain else ()), *lines_of(report, everything=everything)):
            ui.out(line.text, mark=line.mark, color=line.color)
    if form == "text":
        return
    rendered = RENDERERS[form](report)
    if output is None:
        ui.document(rendered)
    else:
        Path(output).write_text(f"{rendered}\n", "utf-8")
        ui.note(f"the report is in {output}")
