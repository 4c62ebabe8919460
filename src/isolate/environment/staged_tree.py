"""The new environment while it is being built in the staging directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isolate.environment import staging
from isolate.environment.template import create_from_template

if TYPE_CHECKING:
    from types import TracebackType

    from isolate.environment.build_context import BuildContext
    from isolate.environment.records import Installed
    from isolate.environment.seed_pip import SeedPip
    from isolate.environment.store_linker import StoreLinker


class StagedTree:
    """A new environment in the staging directory; a context manager that deletes it unless it was put in place.

    Nothing is created before `stage` is called. `bootstrap_installed` holds the pip that the tree begins with, by
    name; it is empty until then.
    """

    def __init__(self, context: BuildContext, seed: SeedPip, linker: StoreLinker) -> None:
        self.bootstrap_installed: dict[str, Installed] = {}
        self._context = context
        self._seed = seed
        self._linker = linker
        self._begun = False
        self._tree = Path()
        self._compiled = False

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
        """Create the tree from its template, with the seed pip in it, unless that was done; return its path."""
        application = self._context.application
        if not self.bootstrap_installed:
            self._begun = True
            tree = staging.begin(application, self._context.progress.say)
            create_from_template(tree, application.venv, self._context.interpreter, self._context.store)
            self.bootstrap_installed.update(self._linker.link([self._seed.ensure()], tree).installed)
            self._tree = tree
        return self._tree

    def stage_to_run_pip(self) -> Path:
        """Do what `stage` does, and add the bytecode of the pip if it can be had: pip starts faster with it."""
        tree, key = self.stage(), self._seed.ensure().key
        if not (self._compiled or self._linker.options.bytecode):
            from isolate.store.bytecode import reuse_own_bytecode

            self._compiled = True
            reuse_own_bytecode(self._context.store, key, self._context.interpreter)
            self._linker.link_compiled(key, tree)
        return tree
