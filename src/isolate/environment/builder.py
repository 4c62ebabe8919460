"""Build an application's next environment: a pip to install with, a tree to install into, a linker to fill it.

pip runs in a bare environment of the application's own interpreter, which the command deletes again. It never runs in
the application's environment, whose code could change what pip puts into the store.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isolate.environment.bare_environment import BareEnvironment
from isolate.environment.pinned_pip import ResolvingPip
from isolate.environment.pip_provider import PipProvider
from isolate.environment.seed_pip import SeedPip
from isolate.environment.staged_tree import StagedTree
from isolate.environment.store_linker import StoreLinker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isolate.application import Application
    from isolate.environment.build_context import BuildContext, LinkOptions, PipConfig
    from isolate.interpreters.interpreter import Interpreter
    from isolate.progress.protocol import Progress
    from isolate.store.store import Store


@dataclass(frozen=True, kw_only=True)
class EnvironmentBuilder:
    """What one command builds one environment with. `environment_builder` creates it."""

    context: BuildContext
    pips: PipProvider
    resolving_pip: ResolvingPip
    staged_tree: StagedTree
    linker: StoreLinker

    @property
    def application(self) -> Application:
        """Return the application that the environment is for."""
        return self.context.application

    @property
    def interpreter(self) -> Interpreter:
        """Return the interpreter that the environment is for."""
        return self.context.interpreter

    @property
    def store(self) -> Store:
        """Return the store that files are linked from."""
        return self.context.store

    @property
    def progress(self) -> Progress:
        """Return the object to report progress to."""
        return self.context.progress


@contextlib.contextmanager
def environment_builder(
    context: BuildContext, pip_config: PipConfig, link_options: LinkOptions
) -> Iterator[EnvironmentBuilder]:
    """Yield a builder that has built nothing yet; in the end delete what it staged and did not put in place."""
    python = str(context.application.venv / "bin/python")
    linker = StoreLinker(store=context.store, python=python, options=link_options)
    seed = SeedPip(context, pip_config)
    verify_hashes = link_options.verify_hashes
    with StagedTree(context) as tree, BareEnvironment(context, seed.ensure, verify_hashes=verify_hashes) as bare:
        pips = PipProvider(context, pip_config, seed, bare)
        with ResolvingPip(context, pip_config, pips, verify_hashes=verify_hashes) as resolving:
            yield EnvironmentBuilder(
                context=context, pips=pips, resolving_pip=resolving, staged_tree=tree, linker=linker
            )
