"""How an application stands before a command: its interpreter, its environment, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from isolate.interpreters.interpreter import Interpreter
from isolate.lock.local_sources import content_digest, metadata_digest
from isolate.locked import LockedDistribution
from isolate.plan import InstalledRef, InstalledState, Plan, Target, make_plan
from isolate.store.layout import entry_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from isolate.environment.records import Installed, State
    from isolate.environment.stamp.mtimes import DirectoryMtimes
    from isolate.environment.verify import Damage, UnmanagedDistribution
    from isolate.interpreters.interpreter import Choice
    from isolate.store.store import Store


class Rebuild(NamedTuple):
    """Why an environment has to be made anew: the `code` of the finding that this is, and the same in `words`."""

    code: str
    words: str


FIRST = Rebuild("missing-environment", "there was none")
"""The reason that is none to a user."""


class CurrentState(NamedTuple):
    """What is.

    `state` is the record of the environment, None if there is none of ours. `rebuild` says why the environment has to
    be made anew; None if it can be built on. `mtimes` are those of its directories before they were inspected.
    """

    choice: Choice
    state: State | None
    rebuild: Rebuild | None
    mtimes: DirectoryMtimes
    damages: tuple[Damage, ...] = ()
    foreign: tuple[UnmanagedDistribution, ...] = ()

    @property
    def interpreter(self) -> Interpreter:
        """Return the interpreter that was chosen."""
        return self.choice.interpreter

    def with_requested_options(self, *, link_mode: str | None, bytecode: bool = False) -> CurrentState:
        """Return this, its environment to be made anew if it was made otherwise; None asks for no *link_mode*."""
        if self.state is None or self.rebuild:
            return self
        if bytecode and not self.state.bytecode:
            return self._replace(rebuild=Rebuild("options-changed", "to compile its bytecode"))
        if link_mode not in (None, self.state.link_mode):
            return self._replace(rebuild=Rebuild("options-changed", f"link mode {self.state.link_mode} → {link_mode}"))
        return self

    def plan(self, targets: Iterable[Target], store: Store, *, inexact: bool = False) -> Plan:
        """Return what has to change for the environment to hold *targets*; *inexact* lets stay what is none of them."""
        if self.rebuild:
            return self._plan_anew([*targets], store, inexact=inexact)
        return make_plan(
            targets,
            InstalledState(
                managed=_there([] if self.state is None else self.state.installed.values()),
                unmanaged=_strange(self.foreign),
                damaged={damage.name for damage in self.damages if damage.name},
            ),
            is_stored=store.has,
            inexact=inexact,
        )

    def _plan_anew(self, targets: Sequence[Target], store: Store, *, inexact: bool) -> Plan:
        """Return what a new environment is to get, and what of the one that stands there it will not have.

        What stays without being a target is put in from the store; if others installed it, it moves along. Both are of
        use to the same kind of interpreter only.
        """
        state, wanted = self.state, {target.name for target in targets}
        old_tag = None if state is None else Interpreter.from_dict(state.interpreter).compat_tag
        stays = inexact and state is not None and old_tag == self.interpreter.compat_tag
        going = [one for one in self.foreign if not stays or one.name in wanted]
        others = wanted | {one.name for one in self.foreign}
        unasked = [] if state is None else [one for name, one in state.installed.items() if name not in others]
        again = [one for one in unasked if stays and store.has(one.key)]
        return make_plan(
            [*targets, *map(_as_it_is, again)],
            InstalledState(
                managed=_there(one for one in unasked if one not in again),
                unmanaged=_strange(going),
            ),
            is_stored=store.has,
        )

    def own_pip(self) -> Target:
        """Return the pip that the environment has as something that is to stay."""
        if self.state is None:
            raise ValueError("no environment, no pip")
        return _as_it_is(self.state.installed["pip"])


def _as_it_is(one: Installed) -> Target:
    return Target(
        locked=LockedDistribution(name=one.name, version=one.version, source_id=one.source_id, table={}), key=one.key
    )


def _there(installed: Iterable[Installed]) -> dict[str, InstalledRef]:
    return {one.name: InstalledRef(name=one.name, version=one.version, key=one.key) for one in installed}


def _strange(foreign: Iterable[UnmanagedDistribution]) -> tuple[InstalledRef, ...]:
    return tuple(InstalledRef(name=one.name, version=one.version, key=None) for one in foreign)


def targets_for(locked: Sequence[LockedDistribution], interpreter: Interpreter) -> list[Target]:
    """Return *locked*, each with the key under which its contents are known."""
    return [Target(locked=one, key=_key(one, interpreter)) for one in locked]


def _key(one: LockedDistribution, interpreter: Interpreter) -> str:
    if one.directory is None:
        return entry_key(interpreter.compat_tag, one.name, one.version, one.source_id)
    digest = metadata_digest(one.directory) if one.editable else content_digest(one.directory)
    return f"tree:{digest}:{one.source_id}"
