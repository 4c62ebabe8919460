"""What several pips at once print and log: kept apart, because one pip's output does not explain another's failure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from isolate.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from isolate.errors import PipFailed

RECORD_SEPARATOR = "\x1e"
"""How the runner script begins a line about one of its pips. All other lines are its own output."""

IN_THE_LOG = ("No available output.", "See above for output.")
"""What pip prints instead of the output of a failed step if that is in its log."""

FAILED_STEP = re.compile(r"ERROR: (?P<step>.+) exited with -?\d+")
TIMESTAMP = re.compile(r"^\S+T[\d:,.]+ ?")


class RunnerOutput:
    """The output of the runner script. `of_script` is what the script itself printed.

    *logs* are the files that its pips log to. *check* is called with the lines of each; it raises if an index failed.
    """

    def __init__(
        self,
        logs: Sequence[Path],
        check: Callable[[Iterable[str]], None],
        *,
        on_line: Callable[[str], None],
        on_finished: Callable[[int], None],
    ) -> None:
        self._logs, self._check = logs, check
        self._lines_of_pips: list[list[str]] = [[] for _ in logs]
        self._lines_of_script: list[str] = []
        self._on_line, self._on_finished = on_line, on_finished

    @property
    def of_script(self) -> str:
        """Return what the script printed, and none of its pips."""
        return "\n".join(self._lines_of_script)

    def receive(self, line: str) -> None:
        """Process one *line* of the script; raise `PipFailed` if it says that a pip failed, or an index did."""
        if not line.startswith(RECORD_SEPARATOR):
            self._lines_of_script.append(line)
            self._on_line(line)
            return
        first, event, text = line[len(RECORD_SEPARATOR) :].split(" ", 2)
        number = int(first)
        if event == "output":
            self._lines_of_pips[number].append(text)
            self._on_line(text)
            return
        self._check(read_log(self._logs[number]))
        if text != "0":
            raise explained(with_log("\n".join(self._lines_of_pips[number]), self._logs[number]))
        self._on_finished(number)


def read_log(path: Path) -> Iterator[str]:
    """Yield the lines of the log *path* of a pip; none if it has logged nothing."""
    if path.exists():
        with open(path, encoding="utf-8", errors="replace") as file:
            yield from file


def with_log(output: str, log: Path) -> str:
    """Return the *output* of a pip, with that of the step that failed if it is in the *log* alone.

    That is so for the build of a build requirement: see `watched`.
    """
    if not any(text in output for text in IN_THE_LOG):
        return output
    lines = [TIMESTAMP.sub("", line.rstrip()) for line in read_log(log)]
    end, step = next(
        ((n, match["step"]) for n, line in enumerate(lines) if (match := FAILED_STEP.search(line))), (0, "")
    )
    start = max((n + 1 for n, line in enumerate(lines[:end]) if f"Running command {step}" in line), default=0)
    return "\n".join([output, f"[{end - start} lines of output]", *lines[start:end], "[end of output]"])


def explained(output: str) -> PipFailed:
    """Return the failure that *output* reports."""
    from isolate.pip.explanation import explain

    return explain(redact(output), declared=())
