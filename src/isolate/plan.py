"""What must change so that an environment holds the locked packages. Pure: plain values in, a plan out.

`check` asks whether the plan is empty, `sync --dry-run` prints it, and `rollback` plans against an older lock. Only
`sync` and `rollback` carry it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from isolate.locked import LockedDistribution


TREE_PREFIX = "tree:"
"""How the key of a distribution begins that has no entry in the store."""


class Target(NamedTuple):
    """A distribution that the environment is to hold.

    `key` names its entry in the store. For a source tree, which has no entry, it names the state of the tree; for what
    is built without isolation, the artifact and what the build depends on.
    """

    locked: LockedDistribution
    key: str

    @property
    def name(self) -> str:
        """Return the normalized name."""
        return self.locked.name

    @property
    def is_local(self) -> bool:
        """Return whether pip builds it for this application alone, without the store."""
        return self.locked.directory is not None or self.key.startswith(TREE_PREFIX)


class InstalledRef(NamedTuple):
    """A distribution that the environment holds. `key` as in `Target`; None if isolate did not install it."""

    name: str
    version: str
    key: str | None


class InstalledState(NamedTuple):
    """What an environment holds.

    `managed`: the distributions that isolate installed, by name; `unmanaged`: those that another tool installed;
    `damaged`: the names of the managed ones that have a missing or modified file.
    """

    managed: Mapping[str, InstalledRef] = {}
    unmanaged: tuple[InstalledRef, ...] = ()
    damaged: Collection[str] = ()


class Change(NamedTuple):
    """What happens to one distribution.

    `action` is `add`, `remove`, `replace`, or `repair`, which installs the same artifact again.
    """

    action: str
    name: str
    old: str | None = None
    new: str | None = None

    @property
    def line(self) -> str:
        """Return the change as a user reads it."""
        match self.action:
            case "add":
                return f"+ {self.name} {self.new or '(source tree)'}"
            case "remove":
                return f"- {self.name} {self.old}"
            case "repair":
                return f"~ {self.name} {self.old} (repaired)"
            case _ if self.old == self.new:
                return f"~ {self.name} {self.old} (different build)"
            case _:
                return f"~ {self.name} {self.old} → {self.new or '(source tree)'}"


class Plan(NamedTuple):
    """What must change.

    `install`: distributions to install; `remove`: names of distributions that isolate installed; `remove_unmanaged`:
    names of distributions that another tool installed; `fetch`: those of `install` that the store lacks; `keep`: names
    of distributions that stay, `kept`: those of them that are targets. A distribution that is replaced or repaired is
    both removed and installed.
    """

    install: tuple[Target, ...] = ()
    remove: tuple[str, ...] = ()
    remove_unmanaged: tuple[str, ...] = ()
    fetch: tuple[Target, ...] = ()
    keep: tuple[str, ...] = ()
    kept: tuple[Target, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to do."""
        return not (self.install or self.remove or self.remove_unmanaged)

    @property
    def asks_pip(self) -> bool:
        """Return whether pip has to fetch or build anything."""
        return bool(self.fetch) or any(target.is_local for target in self.install)

    def reinstalling(self, targets: Collection[Target], is_stored: Callable[[str], bool]) -> Plan:
        """Return this plan, in which *targets*, which it keeps, are installed again."""
        names = {target.name for target in targets}
        return self._replace(
            install=(*self.install, *targets),
            remove=tuple(sorted({*self.remove, *names})),
            fetch=(*self.fetch, *_to_fetch(targets, is_stored)),
            keep=tuple(name for name in self.keep if name not in names),
            kept=tuple(target for target in self.kept if target.name not in names),
        )


def make_plan(
    targets: Iterable[Target],
    installed: InstalledState,
    *,
    is_stored: Callable[[str], bool],
    inexact: bool = False,
) -> Plan:
    """Return the plan that turns *installed* into *targets*.

    With *inexact*, distributions that are not targets stay, except an unmanaged one with the name of a target.
    """
    wanted = {target.name: target for target in targets}
    managed = installed.managed
    evicted = {dist.name: dist for dist in installed.unmanaged if not inexact or dist.name in wanted}
    wrong = {
        name
        for name, target in wanted.items()
        if name not in managed or managed[name].key != target.key or name in installed.damaged or name in evicted
    }
    undeclared = set() if inexact else set(managed) - set(wanted)
    install = tuple(wanted[name] for name in sorted(wrong))
    present = {**managed, **evicted}
    return Plan(
        install=install,
        remove=tuple(sorted(undeclared | (wrong & set(managed)))),
        remove_unmanaged=tuple(sorted(evicted)),
        fetch=_to_fetch(install, is_stored),
        keep=tuple(sorted(set(managed) - undeclared - wrong)),
        kept=tuple(wanted[name] for name in sorted(set(wanted) - wrong)),
        changes=tuple(
            _change(name, present.get(name), wanted.get(name)) for name in sorted({*wrong, *undeclared, *evicted})
        ),
    )


def _to_fetch(targets: Iterable[Target], is_stored: Callable[[str], bool]) -> tuple[Target, ...]:
    return tuple(target for target in targets if not target.is_local and not is_stored(target.key))


def _change(name: str, present: InstalledRef | None, target: Target | None) -> Change:
    old = present.version if present else None
    if target is None:
        return Change(action="remove", name=name, old=old)
    new = target.locked.version
    if present is None:
        return Change(action="add", name=name, new=new)
    return Change(action="repair" if present.key == target.key else "replace", name=name, old=old, new=new)
