"""Which pip works for an application."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.interpreters.search_path import search_path

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.environment.bare_environment import BareEnvironment
    from isolate.environment.build_context import BuildContext, PipConfig
    from isolate.environment.seed_pip import SeedPip
    from isolate.pip.runner import Pip
    from isolate.plan import Target


class PipProvider:
    """Provides the seed pip, run by the application's own interpreter in a bare environment."""

    def __init__(self, context: BuildContext, config: PipConfig, seed: SeedPip, bare: BareEnvironment) -> None:
        self.config = config
        self._context = context
        self._seed = seed
        self._bare = bare
        self._said_keyring = False

    def ensure_seed(self) -> Target:
        """Return the pip that a new environment begins with; create its entry in the store unless it is there."""
        return self._seed.ensure()

    def ensure_pip(self) -> Pip:
        """Return a pip that is ready to run."""
        return self.pip_in(self._bare.ensure(), self._seed.ensure().locked.version or "")

    def pip_in(self, environment: Path, version: str, *, shared: bool = True) -> Pip:
        """Return the pip *version* of *environment*, ready to run.

        If it is not *shared*, it has a cache of built wheels that is this application's own.
        """
        from isolate.pip.credentials import credentials_in
        from isolate.pip.runner import Pip
        from isolate.pip.settings import pip_environment
        from isolate.store.wheel_cache import with_own_wheel_cache

        config, venv, keys = self.config, self._context.application.venv, self.config.keys
        environ = {**config.environ, "PATH": os.pathsep.join(search_path(config.environ))}
        self._say_which_keyring()
        env = pip_environment(environ, prefix=venv, offline=config.offline, variable_names=config.variable_names)
        if not shared:
            keys = keys._replace(build_id=lambda: repr((config.keys.build_id(), version, str(venv))))
        return Pip(
            python=environment / "bin/python",
            compat_tag=self._context.interpreter.compat_tag,
            version=version,
            env=with_own_wheel_cache(env, self._context.store, keys),
            options=config.index_options,
            credentials=credentials_in(config.declared_urls, config.environ),
            progress=self._context.progress,
        )

    def _say_which_keyring(self) -> None:
        """Say once that pip asks the `keyring` program for credentials if its settings say to import the module."""
        from isolate.pip.settings import asks_for_imported_keyring

        if not self._said_keyring and asks_for_imported_keyring(self.config.environ, self._context.application.venv):
            self._context.progress.say(
                "keyring-provider=import counts as subprocess: pip runs where no keyring is installed, "
                "and asks the keyring program on PATH"
            )
        self._said_keyring = True
