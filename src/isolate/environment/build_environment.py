"""Builds without isolation: in an environment that holds what the application's environment will hold.

Some packages are compiled against what they run with (flash-attn against torch), and need it to be installed. The
environment is bare but for entries of the store, and what is built in it is for this application alone.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from isolate.environment.bare_environment import BareEnvironment
from isolate.environment.build_context import LinkOptions
from isolate.environment.link import FileConflict
from isolate.environment.shared_files import environment_conflict
from isolate.environment.store_linker import StoreLinker
from isolate.file_owners import overridden_files
from isolate.store.wheel_cache import DOWNLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.lock.precedence import Precedence
    from isolate.pip.runner import Pip
    from isolate.plan import Target

WITHOUT_ISOLATION = {"PIP_NO_BUILD_ISOLATION": "0"}
"""How a variable switches the isolation of builds off: pip reads this one as the value of `build-isolation`."""


@contextlib.contextmanager
def environment_with(builder: EnvironmentBuilder, targets: Sequence[Target], precedence: Precedence) -> Iterator[Pip]:
    """Yield a pip that builds without isolation, where *targets* are installed; the store has them all.

    *precedence* says who owns a file that several of them install. Raises `DamagedEntry`, and `InvalidDistribution` for
    a file that is in the way.
    """
    seed = builder.pips.ensure_seed()
    others = [target for target in targets if target.name != "pip"]
    with contextlib.ExitStack() as stack:
        venv = _bare(builder, stack)
        try:
            _linker(builder, venv).link(others, venv)
        except FileConflict:
            overridden = overridden_files(_linker(builder, venv).digests([seed, *others], {}), precedence)
            venv = _bare(builder, stack)
            try:
                _linker(builder, venv).link(others, venv, overridden=overridden)
            except FileConflict as conflict:
                raise environment_conflict(conflict) from None
        pip = builder.pips.pip_in(venv, seed.locked.version or "")
        yield replace(pip, env={**_with_cache(pip.env, venv.parent / "cache"), **WITHOUT_ISOLATION})


def _bare(builder: EnvironmentBuilder, stack: contextlib.ExitStack) -> Path:
    environment = BareEnvironment(builder.context, builder.pips.ensure_seed, verify_hashes=False)
    return stack.enter_context(environment).ensure()


def _linker(builder: EnvironmentBuilder, venv: Path) -> StoreLinker:
    return StoreLinker(store=builder.store, python=str(venv / "bin/python"), options=LinkOptions())


def _with_cache(env: Mapping[str, str], cache: Path) -> dict[str, str]:
    """Return *env* with a new *cache* in place of pip's: a wheel that was built with other packages does not serve.

    What pip has downloaded does.
    """
    if (shared := env.get("PIP_CACHE_DIR")) is None:
        return dict(env)
    cache.mkdir()
    (cache / DOWNLOADS).symlink_to(os.path.realpath(os.path.join(shared, DOWNLOADS)))
    return {**env, "PIP_CACHE_DIR": str(cache)}
