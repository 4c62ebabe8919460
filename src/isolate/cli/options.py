"""Options and arguments that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from isolate.cli.invocation import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = TypeVar("Function", bound=Callable[..., Any])

DIRECTORY = click.Path(file_okay=False, path_type=Path)


def combined(*decorators: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """Return several click decorators as one."""

    def decorate(function: Function) -> Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def _shared(*names: str, **settings: Any) -> Callable[[Function], Function]:
    """Return an option whose value click stores in `Options` instead of passing it to the command."""
    return click.option(*names, expose_value=False, callback=_store, **settings)


def _store(context: click.Context, parameter: click.Parameter, value: object) -> None:
    setattr(context.ensure_object(Options), str(parameter.name), value)


QUIET = _shared("-q", "--quiet", is_flag=True, help="Only print errors.")
VERBOSE = _shared(
    "-v", "--verbose", count=True, help="Show which decisions are made and why; -vv also shows the output of pip."
)
JSON = _shared("--json", is_flag=True, is_eager=True, help="Print the result as JSON.")
OUTPUT_OPTIONS = combined(QUIET, VERBOSE, JSON)
UPGRADE_OPTIONS = combined(
    click.option("--upgrade", is_flag=True, help="Upgrade all packages."),
    click.option(
        "--upgrade-package",
        "upgrade_packages",
        multiple=True,
        metavar="NAME",
        help="Upgrade this package (repeatable).",
    ),
)
PYTHON = click.option(
    "--python", metavar="VERSION|PATH", help="Python to use: a version (3.12), a range (>=3.11) or a path."
)
APPLICATIONS = click.argument("directories", nargs=-1, type=DIRECTORY, metavar="[APP]...")
APPLICATIONS_AND_SCRIPTS = click.argument(
    "directories", nargs=-1, type=click.Path(path_type=Path), metavar="[APP|SCRIPT]..."
)
JOBS = _shared(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of applications to process at once (default: one per core).",
)


def all_option(text: str) -> Callable[[Function], Function]:
    """Return the option `--all`, described by *text*."""
    return _shared("--all", "all_applications", is_flag=True, help=text)


ALL_OPTION = combined(all_option("All applications in and below APP (default: current directory)."), JOBS)
