"""The pip that a new environment begins with, as an entry of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.plan import Target
from isolate.store.keys import entry_key
from isolate.store.seed.wheel import is_whole, locked_seed, seed_wheel

if TYPE_CHECKING:
    from pathlib import Path

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
            wheel, self._target = self._find()
            if not self._context.store.has(self._target.key):
                self._target = self._build(wheel, self._target)
        return self._target

    def _find(self, *, replace: bool = False) -> tuple[Path, Target]:
        store, interpreter, config = self._context.store, self._context.interpreter, self._config
        wheel = seed_wheel(store, interpreter, config.environ, offline=config.offline, replace=replace)
        locked = locked_seed(wheel, store)
        key = entry_key(interpreter.compat_tag, "pip", locked.version, locked.source_id)
        return wheel, Target(locked=locked, key=key)

    def _build(self, wheel: Path, target: Target) -> Target:
        """Create the entry of *target*, the pip in *wheel*; if that is damaged, of another wheel. Return its target."""
        from isolate.environment.local_build import build_seed

        if not is_whole(wheel, target.locked.source_id.removeprefix("sha256:")):
            self._context.progress.say(f"{wheel} is damaged; replacing it")
            wheel, target = self._find(replace=True)
        build_seed(wheel, target, self._context)
        return target
