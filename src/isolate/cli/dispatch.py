"""Doing what was asked for one application or for many, and saying what came of it."""

from __future__ import annotations

import contextlib
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isolate.application import Application
from isolate.cli.errors import error_outcome
from isolate.cli.summary import summary
from isolate.outcome import Outcome, as_json, document
from isolate.output import say, write_stderr
from isolate.parallel.map import cores
from isolate.progress.choose import observer_for, progress_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from isolate.progress.protocol import Progress
    from isolate.session import Session

    Command = Callable[[Application, Session], Outcome]
    Quick = Callable[[Sequence[Application]], list[Outcome | None]]


def each(folders: tuple[Path, ...], asked: Mapping[str, Any], command: Command, quick: Quick | None = None) -> int:
    """Do *command* for the application or the applications that are meant, and return the worst exit code.

    *quick* may have the answers for some of many without any work.
    """
    chosen = applications_of(folders, all_applications=asked.get("everywhere", False))
    if len(chosen) == 1 and not asked.get("everywhere"):
        outcome = _alone(next(iter(chosen.values())), asked, command)
        answer(outcome, asked)
        return outcome.exit_code
    return _together(chosen, asked, command, quick)


def applications_of(folders: tuple[Path, ...], *, all_applications: bool) -> dict[str, Application]:
    """Return the applications that are meant, by path as a user would type it from here."""
    folders = folders or (Path(),)
    if not all_applications:
        return {str(folder): Application.at(folder) for folder in folders}
    from isolate.application_discovery import find_applications

    found = [one for folder in folders for one in find_applications(Application.at(folder).root)]
    return {os.path.relpath(one.root): one for one in found}


def _alone(application: Application, asked: Mapping[str, Any], command: Command) -> Outcome:
    with progress_in(asked) as progress, session_with(progress) as session:
        return command(application, session)


@contextlib.contextmanager
def progress_in(asked: Mapping[str, Any]) -> Iterator[Progress]:
    """Yield the progress that *asked* calls for, and report the trace to it with `--verbose`."""
    quiet = asked["quiet"] or asked["json_"]
    with progress_for(quiet=quiet, verbose=bool(asked["verbose"])) as progress, _traced(progress, asked["verbose"]):
        yield progress


def _traced(progress: Progress, verbosity: int) -> contextlib.AbstractContextManager[None]:
    if not verbosity:
        return contextlib.nullcontext()
    from isolate.trace import traced

    return traced(progress, verbosity)


@contextlib.contextmanager
def session_with(progress: Progress, applications: Sequence[Application] = ()) -> Iterator[Session]:
    """Yield a session in the surroundings of this process, for *applications* if they are many."""
    from isolate.batch_fetch import BatchFetcher
    from isolate.session import LazyStore, Session

    with LazyStore(os.environ) as lazy_store:
        yield Session(environ=os.environ, lazy_store=lazy_store, progress=progress, batch=BatchFetcher(applications))


def _together(
    chosen: Mapping[str, Application], asked: Mapping[str, Any], command: Command, quick: Quick | None
) -> int:
    """Do *command* for all of *chosen*, print each outcome as it comes and a summary, and return the worst code."""
    outcomes = {}
    for name, outcome, aside in outcomes_of(chosen, asked, command, quick):
        outcomes[name] = outcome
        with aside():
            _tell(name, outcome, asked)
    worst = max(outcome.exit_code for outcome in outcomes.values())
    if asked["json_"]:
        print_json(chosen, outcomes, worst)
    elif not asked["quiet"]:
        say(summary(outcomes.values()))
    return worst


def outcomes_of(
    chosen: Mapping[str, Application], asked: Mapping[str, Any], command: Command, quick: Quick | None = None
) -> Iterator[tuple[str, Outcome, Callable[[], contextlib.AbstractContextManager[None]]]]:
    """Yield what *command* comes to for each of *chosen*, as it comes, and what to hold while that is printed."""
    rest = {}
    answers = quick([*chosen.values()]) if quick is not None else [None] * len(chosen)
    for (name, application), found in zip(chosen.items(), answers, strict=True):
        if found is not None:
            yield name, found, contextlib.nullcontext
        else:
            rest[name] = application
    if not rest:
        return
    from isolate.parallel.pool import WorkerPool

    with progress_in(asked) as progress, session_with(progress, tuple(rest.values())) as session:
        session.store  # noqa: B018 - opened before workers are forked, so that all have the same
        tasks = {
            name: functools.partial(_attempt, application, command, session, asked["verbose"])
            for name, application in rest.items()
        }
        with observer_for(
            len(rest), quiet=asked["quiet"] or asked["json_"], verbose=bool(asked["verbose"])
        ) as observer:
            for name, outcome in WorkerPool(tasks, asked.get("jobs") or cores(), observer).as_completed():
                yield name, error_outcome(outcome) if isinstance(outcome, Exception) else outcome, observer.paused


def _attempt(
    application: Application, command: Command, session: Session, verbosity: int, progress: Progress
) -> Outcome:
    """Do *command* in a worker: its failure is an outcome like any other."""
    from dataclasses import replace

    try:
        with _traced(progress, verbosity):
            return command(Application.at(application.root), replace(session, progress=progress, is_worker=True))
    except BaseException as error:  # noqa: BLE001 - the others go on, whatever happened to this one
        return error_outcome(error)


def _tell(name: str, outcome: Outcome, asked: Mapping[str, Any]) -> None:
    """Print what came of one of many, in one line if that is all.

    What isolate failed at goes to standard error in any case; what a program that it ran said is no word of its own,
    and goes to standard output even if isolate is to be quiet.
    """
    failed = "error" in outcome.facts
    program_spoke = outcome.command == "run" and bool(outcome.facts["output"] or outcome.exit_code)
    if not (failed or program_spoke) and (asked["quiet"] or asked["json_"]):
        return
    *more, last = outcome.lines or ("",)
    text = "\n".join([f"{name}:", *(f"  {line}" for part in (*more, last) for line in part.split("\n"))])
    text_shown = text if more or "\n" in last else f"{name}: {last}"
    if failed:
        write_stderr(text_shown)
    else:
        say(text_shown)


def print_json(chosen: Iterable[str], outcomes: Mapping[str, Outcome], worst: int) -> None:
    """Print the outcomes of many applications as one document, in the order of *chosen*, the names."""
    import click

    command = str(click.get_current_context().info_name)
    facts = [{"application": name, **document(outcomes[name]), "command": command} for name in chosen]
    say(as_json(Outcome(command=command, exit_code=worst, facts={"applications": facts})))


def answer(outcome: Outcome, asked: Mapping[str, Any]) -> None:
    """Print what came of a command about one application, or about none."""
    if asked["json_"]:
        say(as_json(outcome))
    elif not asked["quiet"]:
        say("\n".join(outcome.lines))
