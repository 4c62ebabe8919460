"""The new environment while it is being built in the staging directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isolate.environment import staging
from isolate.environment.template import create_from_template

if TYPE_CHECKING:
    from types import TracebackType

    from isolate.environment.build_context import BuildContext


class StagedTree:
    """A new environment in the staging directory; a context manager that deletes it unless it was put in place.

    Nothing is created before `stage` is called.
    """

    def __init__(self, context: BuildContext) -> None:
        self._context = context
        self._begun = False

    def __enter__(self) -> StagedTree:  # noqa: PYI034 - typing.Self needs Python 3.11
        """Return the tree, not created yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the staging directory if it was created."""
        if self._begun:
            staging.abandon(self._context.application)

    def stage(self) -> Path:
        """Create the tree from its template, and return its path."""
        application = self._context.application
        self._begun = True
        tree = staging.begin(application, self._context.progress.say)
        create_from_template(tree, application.venv, self._context.interpreter, self._context.store)
        return tree
