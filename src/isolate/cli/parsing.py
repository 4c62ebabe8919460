"""Commands and groups that record what they parse in `Options`, so that errors can be reported as asked."""

from __future__ import annotations

import click

from isolate.cli.invocation import Options


class Command(click.Command):
    """A command that records its name and whether the result is wanted as JSON before anything can go wrong."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse *args*. If that fails, `--json` counts even though it was not parsed."""
        options = ctx.ensure_object(Options)
        options.command = ctx.command_path.removeprefix(ctx.find_root().command_path).strip()
        has_json = any(parameter.name == "json" for parameter in self.params)
        options.json = has_json and "--json" in args
        return super().parse_args(ctx, args)


class Group(click.Group):
    """A group of such commands, or of groups of them."""

    command_class = Command
    group_class = type

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse *args*; without any, print the help and exit as for any other wrong usage."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)
