"""The group of all commands, and the options that several of them have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from isolate import __version__
from isolate.cli.errors import error_outcome
from isolate.outcome import as_json
from isolate.output import say, write_stderr

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = TypeVar("Command", bound=Callable[..., Any])

FOLDER = click.Path(file_okay=False, path_type=Path)


def options(*chosen: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return several click options as one decorator."""

    def decorate(command: Command) -> Command:
        for one in reversed(chosen):
            command = one(command)
        return command

    return decorate


QUIET = click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
VERBOSE = click.option(
    "-v", "--verbose", count=True, help="Show which decisions are made and why; -vv also shows the output of pip."
)
OUTPUT_OPTIONS = options(
    QUIET,
    VERBOSE,
    click.option("--json", "json_", is_flag=True, help="Answer with one JSON document."),
)
UPGRADE_OPTIONS = options(
    click.option("--upgrade", is_flag=True, help="Let every version move."),
    click.option("--upgrade-package", "upgrade_packages", multiple=True, metavar="NAME", help="Let this version move."),
)
PYTHON = click.option("--python", metavar="WHICH", help="A version (3.12), a range (>=3.11) or a path.")
APPLICATIONS = click.argument("applications", nargs=-1, type=FOLDER, metavar="[APP]...")
JOBS = click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many applications at once (default: one for each core).",
)
ALL_OPTION = options(
    click.option("--all", "everywhere", is_flag=True, help="Every application in APP (default: here) and below."), JOBS
)


class JsonAwareCommand(click.Command):
    """A command whose failure, too, is a document on standard output if one was asked for."""

    def invoke(self, ctx: click.Context) -> Any:
        """Do what was asked; under `--json`, print a failure both ways, and return its exit code."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            if not ctx.params.get("json_"):
                raise
            name = ctx.command_path.removeprefix(ctx.find_root().command_path).strip()
            outcome = error_outcome(error)._replace(command=name)
            write_stderr("\n".join(outcome.lines))
            say(as_json(outcome))
            return outcome.exit_code


class Group(click.Group):
    """A group of such commands, or of groups of them."""

    command_class = JsonAwareCommand
    group_class = type


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="isolate")
def isolate() -> None:
    """Keep the requirements of each application apart, in an environment of its own."""
