"""``python -m safeload.audit.second_opinion_child SECONDS``: fickling on what stands on stdin, as a line of JSON."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import resource
import sys

_MEMORY, _SOURCE_MAX = 2 << 30, 20_000


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    seconds = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from fickling.analysis import check_safety
    from fickling.fickle import StackedPickle

    results, worst, sources = [], None, []
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for one in StackedPickle.load(sys.stdin.buffer.read(), fail_on_decode_error=False):
            safety = check_safety(one)
            sources.append(ast.unparse(one.ast)[:_SOURCE_MAX])
            worst = safety.severity if worst is None else max(worst, safety.severity)
            results += [
                {"analysis": each.analysis_name, "severity": each.severity.name, "trigger": each.trigger or ""}
                for each in safety.results
                if each.analysis_name
            ]
    answer = {
        "severity": worst.name if worst is not None else "LIKELY_SAFE",
        "results": results,
        "source": "\n".join(sources)[:_SOURCE_MAX],
    }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
