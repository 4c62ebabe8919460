"""Running a command for one application or for many."""

from __future__ import annotations

import contextlib
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from isolate.application import Application
from isolate.cli.errors import error_outcome
from isolate.cli.failures import Failures
from isolate.cli.output import is_failure, print_json, print_one_of_many, print_outcome, summary, worst_exit_code
from isolate.output import write_stdout
from isolate.parallel.map import cores
from isolate.progress.choose import observer_for, progress_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from isolate.cli.invocation import Options
    from isolate.outcome import Outcome
    from isolate.progress.protocol import Progress
    from isolate.session import Session

    Applications = Mapping[str, Application]


class Command(Protocol):
    """What is done for one application."""

    def __call__(self, application: Application, *, session: Session) -> Outcome:
        """Return the outcome for *application*; raise an exception for a failure."""


class Work(NamedTuple):
    """A command for one or for many applications.

    `load` imports and returns it; where there are many, it is called once, before workers are forked, and only if
    `known` leaves something to do. `known` may have the outcomes of some of many without running anything (None for the
    others). `success` is the word for an application without a finding in the summary of many.
    """

    load: Callable[[], Command]
    known: Callable[[Sequence[Application]], list[Outcome | None]] | None = None
    success: str = "succeeded"
    at: Callable[[Path], Application] = Application.at


def run_for_each(directories: tuple[Path, ...], options: Options, work: Work) -> int:
    """Run *work* for the application in each of *directories*, print the outcomes, and return the worst exit code."""
    applications = selected_applications(directories, options, work.at)
    if options.all_applications or len(applications) != 1:
        return _run_many(applications, options, work)
    (application,) = applications.values()
    command = work.load()
    with progress_in(options) as progress, session_with(progress) as session:
        outcome = command(application, session=session)
    print_outcome(outcome, options)
    return outcome.exit_code


def selected_applications(
    directories: tuple[Path, ...], options: Options, at: Callable[[Path], Application] = Application.at
) -> dict[str, Application]:
    """Return the applications that the command line names, by their path relative to the current directory.

    *at* returns the one at a path.
    """
    directories = directories or (Path(),)
    if not options.all_applications:
        return {str(directory): at(directory) for directory in directories}
    from isolate.application_discovery import find_applications

    found = [app for directory in directories for app in find_applications(Application.at(directory).root)]
    return {os.path.relpath(application.root): application for application in found}


@contextlib.contextmanager
def progress_in(options: Options) -> Iterator[Progress]:
    """Yield the progress display that *options* ask for, and report the trace to it with `--verbose`."""
    with (
        progress_for(quiet=options.is_silent, verbose=options.verbose > 0) as progress,
        _traced(progress, options.verbose),
    ):
        yield progress


def _traced(progress: Progress, verbosity: int) -> contextlib.AbstractContextManager[None]:
    if not verbosity:
        return contextlib.nullcontext()
    from isolate.trace import traced

    return traced(progress, verbosity)


@contextlib.contextmanager
def session_with(progress: Progress, applications: Sequence[Application] = ()) -> Iterator[Session]:
    """Yield a session with the variables of this process, for *applications* if there are many."""
    from isolate.batch_fetch import BatchFetcher
    from isolate.session import LazyStore, Session

    with LazyStore(os.environ) as lazy_store:
        yield Session(environ=os.environ, lazy_store=lazy_store, progress=progress, batch=BatchFetcher(applications))


def _run_many(applications: Applications, options: Options, work: Work) -> int:
    """Run *work* for all of *applications*; print each outcome as it comes, and a summary."""
    outcomes, failures = {}, Failures()
    for name, outcome, paused in outcomes_of(applications, options, work):
        outcomes[name] = outcome
        with paused():
            if is_failure(outcome):
                failures.print(name, outcome)
            else:
                print_one_of_many(name, outcome, options)
    failures.print_repeated()
    if options.json:
        print_json(applications, outcomes, options)
    elif not options.quiet:
        write_stdout(summary(outcomes.values(), work.success))
    return worst_exit_code(outcomes.values())


def outcomes_of(
    applications: Applications, options: Options, work: Work
) -> Iterator[tuple[str, Outcome, Callable[[], contextlib.AbstractContextManager[None]]]]:
    """Yield each name and outcome as it comes, and a context manager to hold while they are printed."""
    known = work.known([*applications.values()]) if work.known is not None else [None] * len(applications)
    remaining = {}
    for (name, application), outcome in zip(applications.items(), known, strict=True):
        if outcome is not None:
            yield name, outcome, contextlib.nullcontext
        else:
            remaining[name] = application
    if remaining:
        yield from _outcomes_of_workers(remaining, options, work.load())


def _outcomes_of_workers(
    applications: Applications, options: Options, command: Command
) -> Iterator[tuple[str, Outcome, Callable[[], contextlib.AbstractContextManager[None]]]]:
    from isolate.parallel.pool import WorkerPool

    with (
        progress_in(options) as progress,
        session_with(progress, tuple(applications.values())) as session,
        observer_for(len(applications), quiet=options.is_silent, verbose=options.verbose > 0) as observer,
    ):
        session.store  # noqa: B018 - opened before workers are forked, so that all share one
        tasks = {
            name: functools.partial(_attempt, application, command, session, options.verbose)
            for name, application in applications.items()
        }
        for name, result in WorkerPool(tasks, options.jobs or cores(), observer).as_completed():
            yield name, error_outcome(result) if isinstance(result, Exception) else result, observer.paused


def _attempt(
    application: Application, command: Command, session: Session, verbosity: int, progress: Progress
) -> Outcome:
    """Run *command* in a worker, and return a failure as an outcome."""
    from dataclasses import replace

    worker_session = replace(session, progress=progress, is_worker=True)
    try:
        with _traced(progress, verbosity):
            return command(application.checked(), session=worker_session)
    except BaseException as error:  # noqa: BLE001 - a failure of one application must not stop the others
        return error_outcome(error)
