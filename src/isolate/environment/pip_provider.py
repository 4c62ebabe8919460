"""Which pip works on an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.environment.verify import damaged_files

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.environment.build_context import BuildContext, PipConfig
    from isolate.environment.seed_pip import SeedPip
    from isolate.environment.staged_tree import StagedTree
    from isolate.pip.runner import Pip
    from isolate.plan import Target


class PipProvider:
    """Provides the pip of the existing environment if it is sound, else the pip of the staged tree.

    Either way it is a pip that isolate installed, run by the application's own interpreter.
    """

    def __init__(
        self,
        context: BuildContext,
        config: PipConfig,
        seed: SeedPip,
        staged_tree: StagedTree,
        *,
        verify_hashes: bool = False,
    ) -> None:
        """Create a provider; with *verify_hashes* a pip counts as sound only if its files have the recorded hashes."""
        self.config = config
        self._context = context
        self._seed = seed
        self._staged_tree = staged_tree
        self._verify_hashes = verify_hashes

    def ensure_seed(self) -> Target:
        """Return the pip that a new environment begins with; create its entry in the store unless it is there."""
        return self._seed.ensure()

    def ensure_pip(self) -> Pip:
        """Return a pip that is ready to run; stage a new environment unless the existing one has a sound pip."""
        from isolate.pip.credentials import credentials_in
        from isolate.pip.runner import Pip
        from isolate.pip.settings import pip_environment

        venv, version = self._ensure_venv()
        config = self.config
        return Pip(
            python=venv / "bin/python",
            compat_tag=self._context.interpreter.compat_tag,
            version=version,
            env=pip_environment(
                config.environ, prefix=venv, offline=config.offline, variable_names=config.variable_names
            ),
            options=config.index_options,
            credentials=credentials_in(config.declared_urls, config.environ),
            progress=self._context.progress,
        )

    def _ensure_venv(self) -> tuple[Path, str]:
        """Return the environment to run pip from, staged if necessary, and the version of its pip."""
        if version := self._sound_own_version():
            return self._context.application.venv, version
        return self._staged_tree.stage_to_run_pip(), self._seed.ensure().locked.version or ""

    def _sound_own_version(self) -> str | None:
        """Return the version of the existing environment's pip; None unless that is the seed pip, undamaged."""
        state = self._context.base_state
        if state is None or "pip" not in state.installed:
            return None
        own = state.installed["pip"]
        if own.key != self._seed.ensure().key:
            return None
        venv = self._context.application.venv
        damaged = damaged_files(venv, state, names=["pip"], verify_hashes=self._verify_hashes)
        return None if damaged else own.version
