"""``safeload demo``: the promises of the format, kept before your eyes on real data."""

from __future__ import annotations

import functools
import tempfile
import time
from pathlib import Path

import click

from safeload.cli.options import FILE
from safeload.text import plural, printable

__all__ = ["demo"]


@click.command()
@click.option("--folder", type=FILE, metavar="DIR", help="Keep all files in this new or empty folder.")
@click.pass_context
def demo(context: click.Context, folder: str | None) -> None:
    """Sign, verify and load real models; see six files refused.

    \b
    Example:
      safeload demo
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="safeload-demo-") as temporary:
            passed = _run(Path(temporary), "The files are removed.")
    else:
        kept = _new(folder)
        passed = _run(kept, f"The files stay. Look at one: safeload inspect {printable(str(kept / 'digits.safeload'))}")
    context.exit(0 if passed else 1)


def _new(folder: str) -> Path:
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise click.UsageError(f"{printable(folder)} is not empty")
    return path.absolute()


def _run(folder: Path, farewell: str) -> bool:
    from safeload.cli.demo.bench import Bench
    from safeload.cli.demo.refusals import REFUSALS, refused
    from safeload.cli.demo.report import Report
    from safeload.cli.demo.steps import STEPS

    started, bench, report = time.perf_counter(), Bench(folder), Report(folder)
    report.heading("Three models of scikit-learn's bundled data, saved, signed and loaded:")
    for name, step in STEPS.items():
        if not report.step(name, functools.partial(step, bench)):
            return False  # what follows stands on it
    report.figures(bench.figures())
    report.heading("Six files that must not load, and what you would see:")
    for refusal in REFUSALS:
        report.refusal(refusal.title, functools.partial(refused, refusal, bench), refusal.besides)
    report.heading(_verdict(report.failed, report.passed, time.perf_counter() - started))
    report.line(farewell)
    return not report.failed


def _verdict(failed: list[str], passed: int, seconds: float) -> str:
    if failed:
        return f"{plural(len(failed), 'check')} FAILED: {'; '.join(failed)}"
    return f"All {passed} checks passed in {seconds:.1f} s."
