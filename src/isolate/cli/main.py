"""The root of the command line. A command's module is imported only when that command is called."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import TYPE_CHECKING

import click

from isolate import __version__
from isolate.cli.parsing import Command, Group

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS = {
    "check": "check:check",
    "conflicts": "conflicts:conflicts",
    "history": "history:history",
    "list": "list_:list_",
    "lock": "lock:lock",
    "rollback": "rollback:rollback",
    "run": "run:run",
    "status": "status:status",
    "store": "store:store",
    "sync": "sync:sync",
}
"""Where each command is: the module below `cli.commands`, and the name in it."""


class LazyGroup(Group):
    """A group that imports its commands on demand, as click's documentation suggests (LazyGroup)."""

    lazy_commands: Mapping[str, str] = COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*super().list_commands(ctx), *self.lazy_commands])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None for an unknown name."""
        if cmd_name not in self.lazy_commands:
            return super().get_command(ctx, cmd_name)
        module, _, name = self.lazy_commands[cmd_name].partition(":")
        command: Command | Group = getattr(import_module(f"isolate.cli.commands.{module}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* start with. Suggest similar names for an unknown one, which only we know."""
        name = args[0]
        if name not in self.lazy_commands and not name.startswith("-") and not ctx.resilient_parsing:
            similar = difflib.get_close_matches(name, self.lazy_commands)
            suggestion = f" Did you mean {' or '.join(map(repr, similar))}?" if similar else ""
            raise click.UsageError(f"No such command {name!r}.{suggestion}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="isolate")
def isolate() -> None:
    """Give every application its own virtual environment with exactly the versions it pins."""
