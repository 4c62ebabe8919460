"""Whether what a lock installs meets what all of it requires, by what the store has of it.

A lock states which packages need which, but not in which versions. Their own metadata does. Once everything is known to
be met, that is remembered by the content of the lock, because it costs a look into every package.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

from isolate import fs
from isolate.errors import StaleLock
from isolate.lock.artifact import is_identified
from isolate.lock.comparison import compare
from isolate.lock.parts import parts_of, with_parts
from isolate.lock.select import choose
from isolate.lock.tool_table import TOOL
from isolate.lock.unmet import unmet_requirements
from isolate.store.stated import stated_requirements

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from isolate.lock.unmet import Unmet
    from isolate.locked import LockedDistribution
    from isolate.resolution.context import LockContext


def unmet_dependencies(lock: Pylock, content: bytes, context: LockContext) -> tuple[str, ...]:
    """Return a line for each dependency that what is installed from *lock* states, and that it does not meet.

    *content* are its bytes. What the store lacks states nothing yet. A lock of another tool counts as complete: it may
    override what a package requires.
    """
    store = context.store
    record = store.paths.complete_lock(_digest(content, context))
    if lock.created_by != TOOL or store.find(record).exists():
        return ()
    unmet, is_known = _unmet(lock, context)
    if not unmet and is_known and not store.is_read_only:
        with contextlib.suppress(OSError):
            record.parent.mkdir(exist_ok=True)
            fs.write(record, b"", staging=store.paths.tmp)
    return tuple(map(str, unmet))


def excluded_versions(lock: Pylock | None, context: LockContext) -> frozenset[str]:
    """Return the names of the packages that *lock* has in versions that others of it exclude, as far as is known."""
    try:
        unmet, _ = ([], False) if lock is None else _unmet(lock, context)
    except StaleLock:  # it does not have what is asked for
        return frozenset()
    return frozenset(each.locked.name for each in unmet if each.locked is not None)


def _unmet(lock: Pylock, context: LockContext) -> tuple[list[Unmet], bool]:
    """Return the dependencies that are not met, and whether every package is known."""
    chosen = choose(lock, context.interpreter, context.asked, root=context.root)
    stated = {each.locked.name: _stated(each.locked, context) for each in chosen}
    declarations = with_parts(context.declarations, parts_of(context.asked))
    comparison = compare(lock, chosen, declarations, context.interpreter.markers)
    known = {name: lines for name, lines in stated.items() if lines is not None}
    unknown = [each for each in chosen if each.locked.directory is None and each.locked.name not in known]
    return [*unmet_requirements(comparison, known)], not unknown


def _stated(dist: LockedDistribution, context: LockContext) -> tuple[str, ...] | None:
    if dist.directory is not None or not is_identified(dist):
        return None
    return stated_requirements(context.store, context.keys.key(dist))


def _digest(content: bytes, context: LockContext) -> str:
    """Return a digest (hex) of everything that the answer depends on."""
    digest = hashlib.sha256(content)
    markers = sorted(context.interpreter.markers.items())
    declared = [requirement.text for requirement in context.declarations.requirements]
    digest.update(repr((markers, context.keys.compat_tag, sorted(parts_of(context.asked)), declared)).encode())
    return digest.hexdigest()
