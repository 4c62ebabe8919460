"""How outcomes are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.cli.failures import Failures
from isolate.formatting import count
from isolate.outcome import Outcome, as_json, document
from isolate.output import printable, write_stdout

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from isolate.cli.invocation import Options

MIN_FAILURE_CODE = 2
"""The lowest exit code of a failure; 1 is the answer of a check that failed."""

KINDS = ("updated", "to update", "succeeded", "up to date", "with findings", "failed")


def print_outcome(outcome: Outcome, options: Options) -> None:
    """Print the outcome of a command about one application, or about none."""
    if options.json:
        write_stdout(as_json(outcome))
    elif not options.quiet:
        write_stdout("\n".join(map(printable, outcome.lines)))


def print_one_of_many(name: str, outcome: Outcome, options: Options) -> None:
    """Print the outcome for one of many applications, which is not a failure, in one line if it has only one.

    The output of a program that isolate ran is not its own, and goes to standard output even if it is to be silent.
    """
    has_program_output = outcome.command == "run" and bool(outcome.facts["output"] or outcome.exit_code)
    if options.is_silent and not has_program_output:
        return
    lines = outcome.lines or ("",)
    if has_program_output:
        lines = tuple(line for part in lines for line in part.split("\n"))
    else:
        lines = tuple(map(printable, lines))
    name = printable(name)
    text = f"{name}: {lines[0]}" if len(lines) == 1 else "\n  ".join([f"{name}:", *lines])
    write_stdout(text, verbatim=has_program_output)


def is_failure(outcome: Outcome) -> bool:
    """Return whether isolate failed, as opposed to a check or to a program that it ran."""
    return "error" in outcome.facts


def print_json(names: Iterable[str], outcomes: Mapping[str, Outcome], options: Options) -> None:
    """Print the outcomes of many applications as one document, in the order of *names*."""
    command = options.command
    applications = [{"application": name, **document(outcomes[name]), "command": command} for name in names]
    facts = {"applications": applications}
    write_stdout(as_json(Outcome(command=command, exit_code=worst_exit_code(outcomes.values()), facts=facts)))


def print_failures(outcomes: Mapping[str, Outcome]) -> None:
    """Print the errors among *outcomes*, those that several applications have in common once."""
    failures = Failures()
    for name, outcome in outcomes.items():
        if is_failure(outcome):
            failures.print(name, outcome)
    failures.print_repeated()


def succeeded(names: Iterable[str], outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """Return the outcomes that are not failures, in the order of *names*."""
    return {name: outcomes[name] for name in names if not is_failure(outcomes[name])}


def finish(names: Iterable[str], outcomes: Mapping[str, Outcome], options: Options) -> int:
    """Print the errors among *outcomes*, or all of them as JSON, and return the worst exit code."""
    if options.json:
        print_json(names, outcomes, options)
    else:
        print_failures(outcomes)
    return worst_exit_code(outcomes.values())


def worst_exit_code(outcomes: Iterable[Outcome]) -> int:
    """Return the largest exit code, 0 for no outcomes."""
    return max((outcome.exit_code for outcome in outcomes), default=0)


def summary(outcomes: Collection[Outcome], success: str) -> str:
    """Return one line about many applications. *success* is the one of `KINDS` that an outcome without a finding is."""
    kinds = [_kind(outcome, success) for outcome in outcomes]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds)
    return f"{count(len(kinds), 'application')}: {counts}"


def _kind(outcome: Outcome, success: str) -> str:
    if outcome.exit_code == 0:
        unchanged = outcome.facts.get("up_to_date") or outcome.facts.get("written") is False
        return "up to date" if unchanged else success
    # The exit code of a program that `run` ran is the program's own: 1 is a failure like any other.
    return "failed" if outcome.exit_code >= MIN_FAILURE_CODE or outcome.command == "run" else "with findings"
