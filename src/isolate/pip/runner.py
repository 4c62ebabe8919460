"""Run an environment's pip: for any command line, and for installs, several of them at the same time."""

from __future__ import annotations

import json
import logging
import os
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from isolate import fs, process
from isolate.child_output import Listener
from isolate.pip.command import choose_arguments, download_arguments, install_arguments
from isolate.pip.credentials import with_credentials
from isolate.pip.index_pages import IndexAnswers
from isolate.pip.input_files import READS_LOCKS, write_input_file
from isolate.pip.runner_output import RECORD_SEPARATOR, RunnerOutput, explained, read_log
from isolate.progress.protocol import NullProgress
from isolate.redaction import redact
from isolate.trace import timed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from isolate.locked import LockedDistribution
    from isolate.progress.protocol import Progress

log = logging.getLogger(__name__)

PROGRESS_PREFIXES = ("Collecting ", "Downloading ", "Building ", "Installing ", "Preparing ", "Getting ")
"""How the lines begin in which pip says what it is doing."""

UPLOADED_PRIOR_TO = "PIP_UPLOADED_PRIOR_TO"

RETRYING = "WARNING: Retrying ("
"""How pip begins the warning that it waits for a while and then asks an index again."""

RUNNER_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "concurrent.py")
"""The script that runs several pips. The environment's Python runs it; isolate never imports it."""

WATCHED_SCRIPT = os.path.join(os.path.dirname(RUNNER_SCRIPT), "watched.py")
"""The script that runs one pip and writes down what it says about indexes; isolate never imports it either."""

PREFIX, REPORT, DOWNLOADS, LOG = "prefix", "report.json", "downloads", "pip.log"
"""What pip creates beside a requirements file: the installed files, its report, the downloaded files, its log."""


@dataclass(frozen=True, kw_only=True)
class Pip:
    """The pip of an environment, with everything that it needs in order to run.

    `python` is the interpreter that runs it, `compat_tag` that interpreter's, `version` pip's own. `env` is its
    complete environment. `options` are index options, each a line of a requirements file. `credentials` has declared
    URLs that hold credentials, by the URL in the lock. `progress` gets pip's output, `answers` what indexes answer.
    With `more_follows`, a later run of the command shows what a doubtful answer means.
    """

    python: Path
    compat_tag: str
    version: str
    env: Mapping[str, str]
    options: tuple[str, ...] = ()
    credentials: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = field(default_factory=NullProgress)
    answers: IndexAnswers = field(default_factory=IndexAnswers)
    more_follows: bool = False

    def write(self, wanted: Sequence[LockedDistribution], directory: Path) -> Path:
        """Create *directory* with a requirements file for exactly *wanted*, and return the path of the file."""
        directory.mkdir(exist_ok=True)
        self.answers.add_files(str((locked.artifact or {}).get("url", "")) for locked in wanted)
        wanted = [self.with_credentials(locked) for locked in wanted]
        reads_locks = Version(self.version) >= READS_LOCKS
        # pip compares the upload time of what a lock names with that setting, and the lock that it gets states none.
        as_lock = reads_locks and not self.options and UPLOADED_PRIOR_TO not in self.env
        return write_input_file(wanted, directory, as_lock=as_lock, options=self.options)

    def with_credentials(self, locked: LockedDistribution) -> LockedDistribution:
        """Return *locked* with the declared credentials in its URL. Only pip may see the result."""
        return with_credentials(locked, self.credentials)

    def install(
        self,
        requirements: Sequence[Path],
        scratch: Path,
        *,
        jobs: int = 1,
        report: bool = False,
        on_installed: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Install each file of *requirements* into `PREFIX` beside it; with *report*, write `REPORT` there, too.

        Up to *jobs* files are installed at the same time. *on_installed* is called with the index of each file that is
        installed, while others are still in progress. Temporary files are created in *scratch*; the caller deletes
        them, because a pip that is terminated does not. Raises `PipFailed`, with an explanation, for the first install
        that fails. That, and any exception of *on_installed*, terminates the other installs.
        """
        runs = [install_arguments(requirements=path, prefix=path.parent / PREFIX) for path in requirements]
        if report:
            runs = [_with_report(run, path) for run, path in zip(runs, requirements, strict=True)]
        for path in requirements:
            self._create_prefix(path.parent / PREFIX)
        self._run_all(requirements, runs, scratch, jobs=jobs, on_finished=on_installed)

    def choose(self, requirements: Sequence[Path], scratch: Path, *, jobs: int = 1) -> None:
        """Write `REPORT` beside each file of *requirements*: what pip would install of it, without dependencies.

        The rest is as for `install`.
        """
        runs = [_with_report(choose_arguments(requirements=path), path) for path in requirements]
        self._run_all(requirements, runs, scratch, jobs=jobs)

    def download(self, requirements: Sequence[Path], scratch: Path, *, jobs: int = 1) -> None:
        """Download the artifacts of each file of *requirements* into `DOWNLOADS` beside it; as `install` for the rest.

        What a declaration demands of all artifacts (`--require-hashes`) is left to the caller.
        """
        runs = [download_arguments(requirements=path, directory=path.parent / DOWNLOADS) for path in requirements]
        self._run_all(requirements, runs, scratch, jobs=jobs)

    def resolve(self, arguments: Sequence[str], requirements: Path, *, cwd: Path) -> process.Finished:
        """Run pip with *arguments* in *cwd*, and return its result; what it creates is beside the file *requirements*.

        Raises `IndexFailed` if an index failed, whether pip found everything elsewhere or not.
        """
        scratch = requirements.parent
        argv = (str(self.python), "-I", WATCHED_SCRIPT, str(scratch / LOG), *arguments)
        finished = self.run(argv, cwd=cwd, scratch=scratch)
        self._check(read_log(scratch / LOG))
        return finished

    def run_logged(self, arguments: Sequence[str], log: Path, *, cwd: Path) -> process.Finished:
        """Run pip with *arguments* in *cwd*, and return its result; everything that it does is in *log* afterwards."""
        argv = (str(self.python), "-I", "-m", "pip", *arguments, "--log", str(log))
        return self.run(argv, cwd=cwd, scratch=log.parent)

    def _check(self, log: Iterable[str]) -> None:
        self.answers.check(log, more_follows=self.more_follows)

    def _run_all(
        self,
        requirements: Sequence[Path],
        runs: Sequence[tuple[str, ...]],
        scratch: Path,
        *,
        jobs: int,
        on_finished: Callable[[int], None] = lambda _: None,
    ) -> None:
        if not runs:
            return
        logs = [path.parent / LOG for path in requirements]
        output = RunnerOutput(logs, self._check, on_line=self._report_progress, on_finished=on_finished)
        may_fork = sys.platform != "darwin"  # its system libraries do not work in a forked process
        watched = [(str(path), *run) for path, run in zip(logs, runs, strict=True)]
        task = {"runs": watched, "jobs": jobs, "fork": may_fork, "separator": RECORD_SEPARATOR}
        argv = (str(self.python), "-I", RUNNER_SCRIPT)
        finished = self.run(argv, cwd=scratch, scratch=scratch, stdin=json.dumps(task), on_line=output.receive)
        if finished.status:
            raise explained(output.of_script)

    def _create_prefix(self, prefix: Path) -> None:
        """Create *prefix* with the links of an environment (`lib64`), so that a file has one path, as it has there."""
        prefix.mkdir(exist_ok=True)
        for name, target in fs.directory_links(self.python.parents[1]).items():
            (prefix / target).mkdir(exist_ok=True)
            (prefix / name).symlink_to(target)

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        scratch: Path,
        stdin: str = "",
        on_line: Callable[[str], None] | None = None,
    ) -> process.Finished:
        """Run the command line *argv* in *cwd* with this pip's environment and *stdin*, and return its result.

        *on_line* is called with each line of output; by default, the trace and the progress get it. Temporary files are
        created in *scratch*, and the caller deletes them. It is also the home directory of a user who has none.
        """
        env = {"HOME": str(scratch), **self.env, "TMPDIR": str(scratch)}
        listener = Listener(on_line=on_line or self._report_progress, on_idle=self._report_idle)
        with timed(log, f"pip: {redact(shlex.join(argv))}"):
            return process.run(argv, env=env, cwd=cwd, stdin=stdin, listener=listener)

    def _report_progress(self, line: str) -> None:
        log.debug("%s", redact(line))
        if RETRYING in line:
            self.progress.working("retrying a request to the package index")
        elif line.lstrip().startswith(PROGRESS_PREFIXES):
            self.progress.working(redact(line.strip()))

    def _report_idle(self, seconds: float) -> None:
        self.progress.say(f"still waiting for pip (no output for {seconds:.0f} s)")


def _with_report(arguments: tuple[str, ...], requirements: Path) -> tuple[str, ...]:
    return (*arguments, "--report", str(requirements.parent / REPORT))
