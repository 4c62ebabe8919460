"""The pip that an application pins among its requirements: it resolves for that application, and for no other.

The seed pip fetches it, fills the store, and builds: what others get depends on no pip that an application chose.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from isolate.environment.bare_environment import BareEnvironment
from isolate.errors import PipFailed
from isolate.plan import Target
from isolate.store.layout import fill_lock

if TYPE_CHECKING:
    from types import TracebackType

    from isolate.environment.build_context import BuildContext, PipConfig
    from isolate.environment.pip_provider import PipProvider
    from isolate.pip.report import ResolvedDistribution
    from isolate.pip.runner import Pip

REPORTS_SINCE = Version("22.2")
"""The first pip that reports what it would install: https://pip.pypa.io/en/stable/news/#v22-2."""


class ResolvingPip:
    """Provides the pip that resolves: the pinned one, if there is one that can, else the seed.

    A context manager that deletes the environment of the pinned one.
    """

    def __init__(self, context: BuildContext, config: PipConfig, pips: PipProvider, *, verify_hashes: bool) -> None:
        self._context = context
        self._config = config
        self._pips = pips
        self._bare = BareEnvironment(context, self._target, verify_hashes=verify_hashes)
        self._pip: Pip | None = None

    def __enter__(self) -> ResolvingPip:  # noqa: PYI034 - typing.Self needs Python 3.11
        """Return self."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the environment of the pinned pip, if it was created."""
        self._bare.__exit__(kind, error, trace)

    def ensure(self) -> Pip:
        """Return a pip that is ready to resolve. Says why it is not the pinned one."""
        if self._pip is None:
            self._pip = self._pinned() or self._pips.ensure_pip()
        return self._pip

    def _pinned(self) -> Pip | None:
        pinned, seed = self._config.pinned_pip, self._pips.ensure_pip()
        if pinned is None or Version(pinned.version) == Version(seed.version):
            return None
        if Version(pinned.version) < REPORTS_SINCE:
            self._say_instead(f"pip {pinned.version} cannot report what it would install, as {REPORTS_SINCE} can")
            return None
        if self._entry() is None:
            return None
        pip = self._pips.pip_in(self._bare.ensure(), pinned.version, shared=False)
        with self._context.store.scratch() as scratch:
            argv = (str(pip.python), "-I", "-m", "pip", "--version")
            if pip.run(argv, cwd=scratch, scratch=scratch).status:
                self._say_instead(f"pip {pinned.version} does not run on Python {self._context.interpreter.version}")
                return None
        return pip

    def _say_instead(self, problem: str) -> None:
        self._context.progress.say(f"{problem}: pip {self._pips.ensure_pip().version} resolves instead")

    def _target(self) -> Target:
        """Return the entry of the pinned pip, which the store has."""
        from isolate.lock.select import as_locked

        dist = self._entry()
        if dist is None:
            raise ValueError("the pinned pip is not in the store")
        locked = as_locked(dist)
        return Target(locked, self._config.keys.key(locked))

    def _entry(self) -> ResolvedDistribution | None:
        """Return the pinned pip, fetched by the seed pip unless the store has it; None if that is not possible."""
        pinned, store, keys = self._config.pinned_pip, self._context.store, self._config.keys
        if pinned is None:
            return None
        from isolate.store.metadata_cache import MetadataCache

        cache = MetadataCache(store, keys, pinned.index_fingerprint)
        with store.fill_access([fill_lock(keys.compat_tag, "pip", pinned.version)]):
            if (dist := cache.get("pip", pinned.version)) is not None:
                return dist
            from isolate.store.fill import Pin, fill_from_pins

            pin = Pin("pip", pinned.version, f"pip=={pinned.version}", pinned.hashes)
            try:
                dists = fill_from_pins(store, [pin], replace(self._pips.ensure_pip(), more_follows=True), keys)
            except PipFailed:  # the resolution that follows says more about it
                return None
            cache.add(dists)
        return cache.get("pip", pinned.version)
