"""Resolve packages that are built without isolation: after everything else, where everything else is installed.

pip has to build a source distribution to learn its dependencies, and such a package needs others for that. So pip first
resolves the declarations without these packages; what it chose is fetched, and installed into an environment in which
pip then resolves the rest.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from isolate.declarations.declared import DeclaredRequirement, Origin
from isolate.environment.build_environment import environment_with
from isolate.formatting import count
from isolate.lock.from_report import lock_from
from isolate.lock.precedence import precedence_of
from isolate.lock.select import select
from isolate.locked import Selection
from isolate.plan import Target
from isolate.resolution.verified import verified
from isolate.store.fill import fill_missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.pylock import Pylock

    from isolate.declarations.declared import Declarations
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.pip.report import ResolvedDistribution
    from isolate.pip.runner import Pip
    from isolate.resolution.context import LockContext


def split(declarations: Declarations) -> tuple[Declarations, Declarations]:
    """Return *declarations* without, and with nothing but, the packages that are built without isolation."""
    names = frozenset(declarations.settings.no_build_isolation)
    first = tuple(declared for declared in declarations.requirements if declared.name not in names)
    later = tuple(declared for declared in declarations.requirements if declared.name in names)
    return declarations._replace(requirements=first), declarations._replace(requirements=later, project=None)


@contextlib.contextmanager
def environment_of(
    resolved: Sequence[ResolvedDistribution], context: LockContext, builder: EnvironmentBuilder
) -> Iterator[tuple[Pip, tuple[DeclaredRequirement, ...]]]:
    """Yield a pip that runs where *resolved* is installed, and constraints that keep its versions.

    Raises `PipFailed` if something cannot be fetched.
    """
    chosen = [item for item in verified(resolved, context.declarations, builder) if not item.is_directory]
    declarations, _ = split(context.declarations)
    lock = lock_from(chosen, declarations, context.interpreter, context.source_digests)
    targets = _targets(lock, declarations, context)
    builder.progress.working(f"fetching {count(len(targets), 'package')} to build with")
    fill_missing(builder.store, {target.key: target.locked for target in targets}, builder.pips.ensure_pip())
    origin = Origin(context.application.lock_file)
    pins = tuple(DeclaredRequirement(text=f"{item.name}=={item.version}", origin=origin) for item in chosen)
    with environment_with(builder, targets, precedence_of(lock)) as pip:
        yield pip, pins


def _targets(lock: Pylock, declarations: Declarations, context: LockContext) -> list[Target]:
    """Return everything in *lock* but source trees, for all extras and groups, as targets that the store can have."""
    everything = Selection(extras=declarations.extras, groups=declarations.groups, project=False)
    locked = select(lock, context.interpreter, everything, root=context.root)
    return [Target(dist, context.keys.key(dist)) for dist in locked if dist.directory is None]
