"""The pip that a new environment begins with, as an entry of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.plan import Target
from isolate.store.layout import entry_key
from isolate.store.seed.wheel import locked_seed, seed_wheel

if TYPE_CHECKING:
    from isolate.environment.build_context import BuildContext, PipConfig


class SeedPip:
    """The seed pip of one build."""

    def __init__(self, context: BuildContext, config: PipConfig) -> None:
        self._context = context
        self._config = config
        self._target: Target | None = None

    def ensure(self) -> Target:
        """Return the seed pip; create its entry in the store unless the store has it."""
        if self._target is None:
            store, interpreter = self._context.store, self._context.interpreter
            wheel = seed_wheel(store, interpreter, self._config.environ, offline=self._config.offline)
            locked = locked_seed(wheel, store)
            key = entry_key(interpreter.compat_tag, "pip", locked.version, locked.source_id)
            self._target = Target(locked=locked, key=key)
            if not store.has(key):
                from isolate.environment.local_build import build_seed

                build_seed(wheel, self._target, self._context)
        return self._target
