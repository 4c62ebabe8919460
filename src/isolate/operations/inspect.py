"""Inspect an application: which interpreter it gets, which environment it has, and what is wrong with that."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.ownership import ensure_replaceable
from isolate.environment.records import claimed_state, is_managed, is_record, read_state, was_moved
from isolate.environment.stamp.mtimes import UNKNOWN_MTIME, DirectoryMtimes, directory_mtimes, watched_directories
from isolate.environment.stamp.read import stamped_mtimes
from isolate.environment.template import site_packages
from isolate.environment.verify import altered_manifests, damaged_files, damaged_template_files, unmanaged_distributions
from isolate.interpreters.interpreter import Interpreter
from isolate.open_directory import reject_link
from isolate.operations.current_state import FIRST, UNVERIFIED, CurrentState, Rebuild
from isolate.resolution.interpreter import choose_interpreter, current_interpreter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.environment.records import State
    from isolate.environment.verify import DamagedFile, UnmanagedDistribution
    from isolate.interpreters.interpreter import Choice
    from isolate.request import Request
    from isolate.session import Session


log = logging.getLogger(__name__)

DAMAGES = {
    "missing-file": "{} was deleted",
    "modified-file": "{} was modified",
    "unsafe-mode": "other users may write to {}",
}
"""What happened to a file of the environment itself, by the code of the finding."""


class InspectOptions(NamedTuple):
    """How closely an application is inspected, by the options that it comes from.

    `python` (--python), `adopt` (--adopt: an environment of another tool may be taken over); `allow_unmanaged`: so may
    anything, because the command does not touch the environment. `check_all_files` (--verify): otherwise only
    distributions in whose directories something has changed are checked. `verify_hashes` (--verify, --hash): every
    checked file is read, not only those whose size or time differs.
    """

    python: str | None = None
    adopt: bool = False
    allow_unmanaged: bool = False
    check_all_files: bool = True
    verify_hashes: bool = False

    @classmethod
    def of(cls, request: Request) -> InspectOptions:
        """Return the options of a sync."""
        return cls(
            python=request.python,
            adopt=request.adopt,
            check_all_files=request.verify,
            verify_hashes=request.verify,
        )


def inspect(
    application: Application, declarations: Declarations, session: Session, options: InspectOptions
) -> CurrentState:
    """Return the current state of *application*.

    Raises `NotManaged` if `.venv` is not an environment that isolate may change, and `NoInterpreter` if no Python fits.
    """
    venv = application.venv
    if not options.allow_unmanaged:
        reject_link(venv)
    state = read_state(venv)
    is_unverified = state is None and is_managed(venv)
    if state is None and not options.allow_unmanaged and not is_unverified:
        ensure_replaceable(venv, adopt=options.adopt)
    interpreter = Interpreter.from_dict(state.interpreter) if state else current_interpreter(application, session)
    choice = choose_interpreter(application, declarations, options.python, interpreter, session)
    log.info("python: %s %s (%s)", choice.interpreter.version, choice.interpreter.executable, choice.reason)
    if state is not None:
        return inspect_existing(application, state, choice, options)
    rebuild = FIRST
    if os.path.lexists(venv):
        rebuild = UNVERIFIED if is_unverified else Rebuild(FIRST.code, "isolate did not create it")
    return CurrentState(
        choice=choice,
        state=None,
        rebuild=rebuild,
        mtimes=DirectoryMtimes(),
        unmanaged=all_unmanaged(application),
        claim=claimed_state(venv) if is_unverified else None,
    )


def inspect_existing(application: Application, state: State, choice: Choice, options: InspectOptions) -> CurrentState:
    """Return the current state of an application whose environment, of record *state*, isolate created."""
    venv = application.venv
    mtimes = DirectoryMtimes(
        directory_mtimes(venv, watched_directories(state.installed))
    )  # before anything in the directories is looked at
    site = site_packages(venv, state.interpreter)
    unmanaged = () if site is None else tuple(unmanaged_distributions(venv, site, state.installed))
    current = CurrentState(choice=choice, state=state, rebuild=None, mtimes=mtimes, unmanaged=unmanaged)
    if site is None:
        return current._replace(rebuild=Rebuild("missing-file", "its site-packages directory is missing"))
    if rebuild := rebuild_reason(application, state, choice.interpreter):
        return current._replace(rebuild=rebuild)
    found = _damaged_files(application, state, mtimes, options)
    own = [damage for damage in found if not damage.name or is_record(damage.path)]
    if own:
        first = min(own, key=lambda damage: damage.path)
        return current._replace(rebuild=Rebuild(first.code, DAMAGES[first.code].format(first.path)))
    return current._replace(damaged_files=tuple(found))


def _damaged_files(
    application: Application, state: State, mtimes: DirectoryMtimes, options: InspectOptions
) -> list[DamagedFile]:
    """Return the files of the environment that differ from what was installed, as far as *options* look."""
    venv, hashes = application.venv, options.verify_hashes
    if options.check_all_files:
        return damaged_files(venv, state, names=None, verify_hashes=hashes)
    names = changed_distributions(state, stamped_mtimes(str(venv)), mtimes)
    log.info("environment: checking %s", "every file" if names is None else ", ".join(names) or "no package")
    found = damaged_files(venv, state, names=names, verify_hashes=hashes)
    found += altered_manifests(venv, state)
    return found if names is None else [*found, *damaged_template_files(venv, verify_hashes=hashes)]


def changed_distributions(state: State, stamped: Mapping[str, int] | None, mtimes: DirectoryMtimes) -> list[str] | None:
    """Return the distributions with a directory whose mtime is not the *stamped* one; None for all, without a stamp."""
    if stamped is None:
        return None
    changed = {directory for directory, was in stamped.items() if was == UNKNOWN_MTIME or mtimes.get(directory) != was}
    return [name for name, dist in state.installed.items() if not changed.isdisjoint(dist.directories)]


def rebuild_reason(application: Application, state: State, chosen: Interpreter) -> Rebuild | None:
    """Return why an environment has to be recreated whatever it holds: it was moved, or gets another interpreter."""
    current = Interpreter.from_dict(state.interpreter).completed(chosen)
    if was_moved(state, application.venv):
        return Rebuild("moved", f"it was created at {state.venv}")
    if current.version != chosen.version or current.compat_tag != chosen.compat_tag:
        return Rebuild("python-changed", f"Python {current.version} → {chosen.version}")
    if current.executable != chosen.executable:
        return Rebuild("python-changed", f"{current.executable} → {chosen.executable}")
    if current.fingerprint != chosen.fingerprint:
        return Rebuild("python-changed", f"{chosen.executable} was replaced")
    return None


def all_unmanaged(application: Application) -> tuple[UnmanagedDistribution, ...]:
    """Return every distribution in an environment of which isolate has no record."""
    venv = application.venv
    found: list[UnmanagedDistribution] = []
    for site in sorted(venv.glob("lib/*/site-packages")) if venv.is_dir() else ():
        found += unmanaged_distributions(venv, str(site.relative_to(venv)), {})
    return tuple(found)
