"""The pip of an environment at work: it installs what it is told to, in several processes if there is much."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from isolate import process
from isolate.child_output import Listener
from isolate.pip.command import install_arguments
from isolate.pip.credentials import with_credentials
from isolate.pip.input_files import write_partial
from isolate.pip.redaction import redact
from isolate.progress.protocol import NullProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from isolate.errors import PipFailed
    from isolate.locked import LockedDistribution
    from isolate.progress.protocol import Progress

PROGRESS_PREFIXES = ("Collecting ", "Downloading ", "Building ", "Installing ", "Preparing ", "Getting ")
"""How those lines of pip begin that say what it is at."""

RETRYING = "WARNING: Retrying ("
"""What pip says each time that it waits a while, and then asks an index again."""

RUNNER_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "concurrent.py")
"""What runs several pips: a program for the environment's Python, never imported here."""

RECORD_SEPARATOR = "\x1e"
"""How a line begins that is about one of several pips; others are those of what runs them."""

PREFIX, REPORT = "prefix", "report.json"
"""What pip makes beside a requirements file: what it installed, and what it reports about that."""


@dataclass(frozen=True, kw_only=True)
class Pip:
    """The pip of an application's environment, and what it needs to know to work.

    `python` is the interpreter to run it with, `compat_tag` the compatibility tag of that interpreter, `version` pip's
    own. `env` is its whole environment. `options` are lines of index options for a requirements file, `credentials` are
    addresses that hold some, by what a lock says instead. `progress` hears what pip says.
    """

    python: Path
    compat_tag: str
    version: str
    env: Mapping[str, str]
    options: tuple[str, ...] = ()
    credentials: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = field(default_factory=NullProgress)

    def write(self, wanted: Sequence[LockedDistribution], folder: Path) -> Path:
        """Write into *folder*, made for it, the requirements file that asks for exactly *wanted*, and return it."""
        folder.mkdir(exist_ok=True)
        wanted = [with_credentials(one, self.credentials) for one in wanted]
        return write_partial(wanted, folder, pip_version=Version(self.version), options=self.options)

    def install(
        self,
        requirements: Sequence[Path],
        scratch: Path,
        *,
        at_once: int = 1,
        report: bool = False,
        on_installed: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Install exactly what each file of *requirements* asks for into `PREFIX` beside it, with a `REPORT` if asked.

        *at_once* of them are installed at the same time; *on_installed* is called with the number of each that is,
        while others go on. Temporary files lie in *scratch*, which whoever calls clears away: a pip that is ended
        leaves them. Raises `PipFailed`, explained, at the first that fails; that, and whatever *on_installed* raises,
        ends the others.
        """
        runs = [_arguments(path, report=report) for path in requirements]
        said: list[list[str]] = [
            [] for _ in (*runs, RUNNER_SCRIPT)
        ]  # by each, for none explains the failure of another

        def hear(line: str) -> None:
            number, what, text = (
                line[len(RECORD_SEPARATOR) :].split(" ", 2) if line.startswith(RECORD_SEPARATOR) else (-1, "said", line)
            )
            if what == "said":
                said[int(number)].append(text)
                self._hear(text)
            elif text != "0":
                raise _explained("\n".join(said[int(number)]))
            else:
                on_installed(int(number))

        may_fork = sys.platform != "darwin"  # whose libraries do not bear it
        stdin_text = {"runs": runs, "at_once": at_once, "fork": may_fork, "mark": RECORD_SEPARATOR}
        argv = (str(self.python), "-I", RUNNER_SCRIPT)
        finished = self.run(argv, cwd=scratch, scratch=scratch, stdin_text=json.dumps(stdin_text), on_line=hear)
        if finished.status:
            raise _explained("\n".join(said[-1]))

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        scratch: Path,
        stdin_text: str = "",
        on_line: Callable[[str], None] | None = None,
    ) -> process.Finished:
        """Run a command line of this pip in *cwd* and return how it ended; *on_line* hears all, else the progress does.

        Its temporary files lie in *scratch*, as those of `install` do.
        """
        env = {**self.env, "TMPDIR": str(scratch)}
        listener = Listener(on_line=on_line or self._hear, on_idle=self._wait)
        return process.run(argv, env=env, cwd=cwd, stdin=stdin_text, listener=listener)

    def _hear(self, line: str) -> None:
        self.progress.detail(redact(line))
        if RETRYING in line:
            self.progress.working("retrying: the package index does not answer")
        elif line.lstrip().startswith(PROGRESS_PREFIXES):
            self.progress.working(redact(line.strip()))

    def _wait(self, seconds: float) -> None:
        self.progress.say(f"still waiting for pip, which has said nothing for {seconds:.0f} s")


def _arguments(requirements: Path, *, report: bool) -> tuple[str, ...]:
    folder = requirements.parent
    more = ("--report", str(folder / REPORT)) if report else ()
    return (*install_arguments(requirements=requirements, prefix=folder / PREFIX), *more)


def _explained(said: str) -> PipFailed:
    from isolate.pip.explanation import explain

    return explain(redact(said), declared=())
