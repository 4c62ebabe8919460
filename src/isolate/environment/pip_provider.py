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
    from isolate.pip.index_pages import IndexAnswers
    from isolate.pip.runner import Pip
    from isolate.plan import Target


class PipProvider:
    """Provides the seed pip, run by the application's own interpreter in a bare environment."""

    def __init__(self, context: BuildContext, config: PipConfig, seed: SeedPip, bare: BareEnvironment) -> None:
        self.config = config
        self._context = context
        self._seed = seed
        self._bare = bare
        self._has_said = False
        self._answers: IndexAnswers | None = None

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
        from isolate.pip.index_pages import IndexAnswers
        from isolate.pip.runner import Pip
        from isolate.pip.settings import pip_environment
        from isolate.store.wheel_cache import with_own_wheel_cache

        config, venv, keys = self.config, self._context.application.venv, self.config.keys
        environ = {**config.environ, "PATH": os.pathsep.join(search_path(config.environ))}
        self._say_what_counts_otherwise()
        self._answers = self._answers or IndexAnswers(config.lenient_indexes)
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
            answers=self._answers,
        )

    def _say_what_counts_otherwise(self) -> None:
        """Say once which settings of pip do not count as they are, because of where pip runs."""
        from isolate.pip.settings import asks_for_imported_keyring, switches_isolation_off

        environ, venv, say = self.config.environ, self._context.application.venv, self._context.progress.say
        if not self._has_said and asks_for_imported_keyring(environ, venv):
            say(
                "keyring-provider=import counts as subprocess: pip runs where no keyring is installed, "
                "and asks the keyring program on PATH"
            )
        if not self._has_said and switches_isolation_off(environ, venv):
            say(
                "no-build-isolation does not count: pip runs where nothing is installed; "
                "name the packages that need it in [tool.isolate] no-build-isolation"
            )
        self._has_said = True
