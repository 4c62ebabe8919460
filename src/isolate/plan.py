"""What must change so that an environment holds what was decided. Pure: plain values in, a plan out.

`check` asks whether the plan is empty, `sync --dry-run` prints it, `rollback` plans against an older lock, and `sync`
is the only one that carries it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from isolate.locked import LockedDistribution


class Target(NamedTuple):
    """A distribution that is to be there. `key` names its entry in the store, or, for a source tree, its state."""

    locked: LockedDistribution
    key: str

    @property
    def name(self) -> str:
        """Return the normalized name."""
        return self.locked.name

    @property
    def is_local(self) -> bool:
        """Say whether it comes from a source tree, and so does not pass through the store."""
        return self.locked.directory is not None


class InstalledRef(NamedTuple):
    """A distribution that is there. `key` as in `Target`; None for one that isolate did not install."""

    name: str
    version: str
    key: str | None


class Change(NamedTuple):
    """What happens to one distribution: `add`, `remove`, `replace`, or `mend` (same artifact, damaged files)."""

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
            case "mend":
                return f"~ {self.name} {self.old} (damaged files put right)"
            case _ if self.old == self.new:
                return f"~ {self.name} {self.old} (another build)"
            case _:
                return f"~ {self.name} {self.old} → {self.new or '(source tree)'}"


class Plan(NamedTuple):
    """What has to change, by what has to be done about it.

    `install`: distributions to install; `remove`: names of distributions that isolate installed; `remove_unmanaged`:
    names of distributions that another tool installed; `fetch`: those of `install` that the store lacks; `keep`: names
    of distributions that stay.
    """

    install: tuple[Target, ...] = ()
    remove: tuple[str, ...] = ()
    remove_unmanaged: tuple[str, ...] = ()
    fetch: tuple[Target, ...] = ()
    keep: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to do."""
        return not (self.install or self.remove or self.remove_unmanaged)

    @property
    def asks_pip(self) -> bool:
        """Say whether pip has to fetch or to build anything."""
        return bool(self.fetch) or any(target.is_local for target in self.install)


def make_plan(  # noqa: PLR0913 - six facts, named at every call
    targets: Iterable[Target],
    installed: Mapping[str, InstalledRef],
    *,
    foreign: Iterable[InstalledRef] = (),
    damaged: Collection[str] = (),
    is_stored: Callable[[str], bool],
    inexact: bool = False,
) -> Plan:
    """Return what turns *installed* and *foreign* into *targets*.

    *damaged* are names of *installed* whose files are not as they were. *inexact* lets stay what nobody asked for,
    unless it stands in the way of a target.
    """
    wanted = {target.name: target for target in targets}
    unmanaged_to_remove = sorted({one.name for one in foreign if not inexact or one.name in wanted})
    wrong = {
        name
        for name, target in wanted.items()
        if name not in installed or installed[name].key != target.key or name in damaged or name in unmanaged_to_remove
    }
    gone = set() if inexact else set(installed) - set(wanted)
    install = tuple(wanted[name] for name in sorted(wrong))
    others = {one.name: one for one in foreign}
    return Plan(
        install=install,
        remove=tuple(sorted(gone | (wrong & set(installed)))),
        remove_unmanaged=tuple(unmanaged_to_remove),
        fetch=tuple(target for target in install if not target.is_local and not is_stored(target.key)),
        keep=tuple(sorted(set(installed) - gone - wrong)),
        changes=tuple(_changes(wanted, wrong, gone, installed, {name: others[name] for name in unmanaged_to_remove})),
    )


def _changes(
    wanted: Mapping[str, Target],
    wrong: Collection[str],
    gone: Collection[str],
    installed: Mapping[str, InstalledRef],
    unmanaged_to_remove: Mapping[str, InstalledRef],
) -> list[Change]:
    changes = []
    for name in sorted({*wrong, *gone, *unmanaged_to_remove}):
        was = unmanaged_to_remove.get(name) or installed.get(name)
        if name not in wanted:
            changes.append(Change(action="remove", name=name, old=was.version if was else None))
            continue
        new = wanted[name].locked.version
        if was is None:
            changes.append(Change(action="add", name=name, new=new))
        elif was.key == wanted[name].key:
            changes.append(Change(action="mend", name=name, old=was.version, new=new))
        else:
            changes.append(Change(action="replace", name=name, old=was.version, new=new))
    return changes
