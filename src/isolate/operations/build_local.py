"""Build what only this application gets: source trees, and packages that are built without isolation."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from isolate.lock.precedence import precedence_of
from isolate.operations.current_state import targets_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.operations.transaction import Transaction
    from isolate.pip.runner import Pip
    from isolate.plan import Target
    from isolate.store.entry import Entry


@contextlib.contextmanager
def built_locally(transaction: Transaction, builder: EnvironmentBuilder) -> Iterator[Mapping[str, Entry]]:
    """Yield, by name, what pip builds of that which is to be installed and not in the store; deleted on exit."""
    local = [target for target in transaction.plan.install if target.is_local]
    names = builder.pips.config.keys.no_build_isolation
    with contextlib.ExitStack() as stack:
        isolated = [target for target in local if target.name not in names]
        built = {target.name: _built_tree(target, builder.pips.ensure_pip(), builder, stack) for target in isolated}
        if others := [target for target in local if target.name in names]:
            built |= _built_without_isolation(others, transaction, builder, stack)
        yield built


def _built_tree(target: Target, pip: Pip, builder: EnvironmentBuilder, stack: contextlib.ExitStack) -> Entry:
    from isolate.environment.local_build import build_source_tree
    from isolate.store.layout import tree_lock

    scratch = stack.enter_context(builder.store.scratch())
    on_wait = partial(builder.progress.working, f"waiting for another process that builds {target.name}")
    with builder.store.fill_access([tree_lock(target.locked.directory or "")], on_wait):
        return build_source_tree(target, pip, scratch)


def _built_without_isolation(
    unshared: Sequence[Target], transaction: Transaction, builder: EnvironmentBuilder, stack: contextlib.ExitStack
) -> dict[str, Entry]:
    """Return what pip builds of *unshared* where all other packages of the environment are installed."""
    from isolate.environment.build_environment import environment_with
    from isolate.environment.local_build import build_unshared
    from isolate.store.fill import fill_missing

    others = [target for target in targets_for(transaction.locked, builder.pips.config.keys) if not target.is_local]
    fill_missing(builder.store, {target.key: target.locked for target in others}, builder.pips.ensure_pip())
    built = {}
    with environment_with(builder, others, precedence_of(transaction.decision.lock)) as pip:
        for target in unshared:
            builder.progress.working(f"building {target.name} without isolation")
            if target.locked.directory is not None:
                built[target.name] = _built_tree(target, pip, builder, stack)
            else:
                built[target.name] = build_unshared(target, pip, stack.enter_context(builder.store.scratch()))
    return built
