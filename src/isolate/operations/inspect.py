"""A look at an application: which interpreter, which environment, and what is wrong with it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.environment.ownership import ensure_replaceable, reject_symlink
from isolate.environment.records import FOLDER, is_managed, read_state, was_moved
from isolate.environment.stamp.mtimes import UNKNOWN_MTIME, DirectoryMtimes, directory_mtimes, watched_directories
from isolate.environment.stamp.read import stamped_mtimes
from isolate.environment.template import site_packages
from isolate.environment.verify import damages, foreign, template_damages
from isolate.interpreters.interpreter import Interpreter
from isolate.operations.current_state import FIRST, CurrentState, Rebuild
from isolate.resolution.interpreter import choose_interpreter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.environment.records import State
    from isolate.environment.verify import UnmanagedDistribution
    from isolate.interpreters.interpreter import Choice
    from isolate.session import Session


def inspect(  # noqa: PLR0913 - what a command asks, by name
    application: Application,
    declarations: Declarations,
    asked: str | None,
    session: Session,
    *,
    adopt: bool = False,
    allow_unmanaged: bool = False,
    thorough: bool = True,
    hashes: bool = False,
) -> CurrentState:
    """Return the situation of *application*; *thorough* and *hashes* are those of `inspect_existing`.

    Raises `NotManaged` if something that is not ours stands in the way (unless *any_environment* will do), and
    `NoInterpreter` if no Python fits.
    """
    venv = application.venv
    if not allow_unmanaged:
        reject_symlink(venv)
    state = read_state(venv)
    broken = state is None and is_managed(venv)
    if state is None and not allow_unmanaged and not broken:
        ensure_replaceable(venv, adopt=adopt)
    current = None if state is None else Interpreter.from_dict(state.interpreter)
    choice = choose_interpreter(application, declarations, asked, current, session)
    if state is None or current is None:
        rebuild = FIRST
        if os.path.lexists(venv):
            reason = "its record cannot be read" if broken else "it was not made by isolate"
            rebuild = Rebuild(FIRST.code, reason)
        return CurrentState(
            choice=choice, state=None, rebuild=rebuild, mtimes=DirectoryMtimes(), foreign=_strangers(application)
        )
    return inspect_existing(application, state, current, choice, thorough=thorough, hashes=hashes)


def changed_distributions(state: State, stamped: Mapping[str, int] | None, mtimes: DirectoryMtimes) -> list[str] | None:
    """Return the distributions with a directory whose time is not the *stamped* one; None, for all, without a stamp."""
    if stamped is None:
        return None
    changed = {folder for folder, was in stamped.items() if was == UNKNOWN_MTIME or mtimes.get(folder) != was}
    return [name for name, one in state.installed.items() if not changed.isdisjoint(one.folders)]


def inspect_existing(  # noqa: PLR0913 - see above
    application: Application,
    state: State,
    current: Interpreter,
    choice: Choice,
    *,
    thorough: bool = True,
    hashes: bool = False,
) -> CurrentState:
    """Return the situation of an application with an environment of ours, made from *current*, to have *choice*.

    Unless *thorough*, only those distributions are looked at in whose directories something has changed. With *hashes*
    every content that is looked at is read, not only where size or time are others.
    """
    venv = application.venv
    mtimes = DirectoryMtimes(directory_mtimes(venv, watched_directories(state.installed)))
    site = site_packages(venv, state.interpreter)
    strangers = () if site is None else tuple(foreign(venv, site, state.installed))
    gone = Rebuild("missing-file", "its site-packages are gone") if site is None else None
    if rebuild := gone or _rebuild_reason(application, state, current, choice.interpreter):
        return CurrentState(choice=choice, state=state, rebuild=rebuild, mtimes=mtimes, foreign=strangers)
    names = None if thorough else changed_distributions(state, stamped_mtimes(str(venv)), mtimes)
    found = damages(venv, state, names=names, verify_hashes=hashes)
    if names is not None:
        found += template_damages(venv, verify_hashes=hashes)
    own = [damage for damage in found if not damage.name or damage.path.startswith(FOLDER)]
    if own:
        first = min(own, key=lambda damage: damage.path)
        rebuild = Rebuild(first.code, f"{first.path} is not as it was made")
        return CurrentState(choice=choice, state=state, rebuild=rebuild, mtimes=mtimes, foreign=strangers)
    return CurrentState(
        choice=choice, state=state, rebuild=None, mtimes=mtimes, damages=tuple(found), foreign=strangers
    )


def _rebuild_reason(
    application: Application, state: State, current: Interpreter, chosen: Interpreter
) -> Rebuild | None:
    if was_moved(state, application.venv):
        return Rebuild("moved", f"it was made at {state.venv}")
    if current.version != chosen.version or current.compat_tag != chosen.compat_tag:
        return Rebuild("python-changed", f"Python {current.version} → {chosen.version}")
    if current.executable != chosen.executable:
        return Rebuild("python-changed", f"{current.executable} → {chosen.executable}")
    if current.fingerprint != chosen.fingerprint:
        return Rebuild("python-changed", f"{chosen.executable} was replaced")
    return None


def _strangers(application: Application) -> tuple[UnmanagedDistribution, ...]:
    found: list[UnmanagedDistribution] = []
    for site in sorted(application.venv.glob("lib/*/site-packages")) if application.venv.is_dir() else ():
        found += foreign(application.venv, str(site.relative_to(application.venv)), {})
    return tuple(found)
