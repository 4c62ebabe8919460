"""What an environment is to become, as a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from isolate.environment.records import State
    from isolate.environment.stamp.mtimes import DirectoryMtimes
    from isolate.environment.verify import UnmanagedDistribution
    from isolate.lock.precedence import Precedence
    from isolate.plan import Plan
    from isolate.store.entry import Entry


class DesiredState(NamedTuple):
    """What an environment is to become.

    `state` is its record, except for what is installed. `mtimes` are those of the directories before they were
    inspected; a change of the environment records the new ones in it. `precedence` says who owns a file that several
    distributions install. `built` are the entries of source trees, by
    name. `new_records` are further files of isolate, `expired_records` those to delete, `damaged_files` files that
    differ from what was installed: all by path relative to the environment.
    """

    plan: Plan
    state: State
    mtimes: DirectoryMtimes
    precedence: Precedence
    built: Mapping[str, Entry] = {}
    unmanaged: Sequence[UnmanagedDistribution] = ()
    new_records: Mapping[str, bytes] = {}
    expired_records: Sequence[str] = ()
    damaged_files: Collection[str] = ()
