"""A look at an application: which interpreter, which environment, and what is wrong with it."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from isolate.environment.inspection import damages, damages_of_skeleton, foreign
from isolate.environment.records import FOLDER, elsewhere, is_ours, read_state
from isolate.environment.skeleton import site_packages
from isolate.environment.stamp import stamped_folders
from isolate.environment.standing import refuse_a_link, refuse_what_is_not_ours
from isolate.environment.watch import UNKNOWN, times_of, watched
from isolate.errors import IsolateError
from isolate.interpreters.choosing import choose, version_file_of
from isolate.interpreters.model import Interpreter
from isolate.steps.situation import FIRST, Rebuild, Situation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.model import Declarations
    from isolate.environment.inspection import Foreign
    from isolate.environment.records import State
    from isolate.interpreters.model import Choice
    from isolate.steps.session import Session


def look_at(  # noqa: PLR0913 - what a command asks, by name
    application: Application,
    declarations: Declarations,
    asked: str | None,
    session: Session,
    *,
    adopt: bool = False,
    any_environment: bool = False,
    thorough: bool = True,
    hashes: bool = False,
) -> Situation:
    """Return the situation of *application*; *thorough* and *hashes* are those of `look_closer`.

    Raises `NotOurs` if something that is not ours stands in the way (unless *any_environment* will do), and
    `NoInterpreter` if no Python fits.
    """
    venv = application.venv
    if not any_environment:
        refuse_a_link(venv)
    state = read_state(venv)
    broken = state is None and is_ours(venv)
    if state is None and not any_environment and not broken:
        refuse_what_is_not_ours(venv, adopt=adopt)
    current = None if state is None else Interpreter.from_dict(state.interpreter)
    choice = _choose(application, declarations, asked, current, session)
    if state is None or current is None:
        rebuild = FIRST
        if os.path.lexists(venv):
            reason = "its record cannot be read" if broken else "it was not made by isolate"
            rebuild = Rebuild(FIRST.kind, reason)
        return Situation(choice=choice, state=None, rebuild=rebuild, foreign=_strangers(application))
    return look_closer(application, state, current, choice, thorough=thorough, hashes=hashes)


def interpreter_for(
    application: Application, declarations: Declarations, session: Session, *, asked: str | None = None
) -> Interpreter:
    """Return the interpreter that *application* has, or would get; raise `NoInterpreter` if none fits."""
    state = read_state(application.venv)
    current = None if state is None else Interpreter.from_dict(state.interpreter)
    return _choose(application, declarations, asked, current, session).interpreter


def _choose(
    application: Application,
    declarations: Declarations,
    asked: str | None,
    current: Interpreter | None,
    session: Session,
) -> Choice:
    setting = declarations.settings.python
    return choose(
        asked=asked,
        setting=None if setting is None else (setting, application.root / "pyproject.toml"),
        version_file=version_file_of(application.root),
        current=current,
        requires_python=declarations.requires_python,
        served=_served(application) if application.lock_file.exists() else None,
        cache=session.store.interpreters,
        environ=session.environ,
    )


def _served(application: Application) -> Callable[[Interpreter], bool]:
    """Return what says whether the lock in the tree is for an interpreter; it is read when that is asked."""

    @functools.cache
    def lock() -> Pylock | None:
        from isolate.lock.pylock_file import read_lock  # noqa: PLC0415 - mostly an environment has its interpreter

        try:
            return read_lock(application.lock_file)
        except IsolateError:
            return None  # whoever needs it says what is wrong with it

    def served(interpreter: Interpreter) -> bool:
        from isolate.lock.selection import serves  # noqa: PLC0415

        found = lock()
        return found is None or serves(found, interpreter)

    return served


def suspicious(state: State, stamped: Mapping[str, int] | None, times: Mapping[str, int]) -> list[str] | None:
    """Return the distributions with a directory whose time is not the *stamped* one; None, for all, without a stamp."""
    if stamped is None:
        return None
    changed = {folder for folder, was in stamped.items() if was == UNKNOWN or times.get(folder) != was}
    return [name for name, one in state.installed.items() if not changed.isdisjoint(one.folders)]


def look_closer(  # noqa: PLR0913 - see above
    application: Application,
    state: State,
    current: Interpreter,
    choice: Choice,
    *,
    thorough: bool = True,
    hashes: bool = False,
) -> Situation:
    """Return the situation of an application with an environment of ours, made from *current*, to have *choice*.

    Unless *thorough*, only those distributions are looked at in whose directories something has changed. With *hashes*
    every content that is looked at is read, not only where size or time are others.
    """
    venv = application.venv
    times = times_of(venv, watched(state.installed))
    site = site_packages(venv, state.interpreter)
    strangers = () if site is None else tuple(foreign(venv, site, state.installed))
    gone = Rebuild("file missing", "its site-packages are gone") if site is None else None
    if rebuild := gone or _why_anew(application, state, current, choice.interpreter):
        return Situation(choice=choice, state=state, rebuild=rebuild, foreign=strangers)
    names = None if thorough else suspicious(state, stamped_folders(str(venv)), times)
    found = damages(venv, state, names=names, hashes=hashes)
    if names is not None:
        found += damages_of_skeleton(venv, hashes=hashes)
    own = [damage for damage in found if not damage.name or damage.path.startswith(FOLDER)]
    if own:
        first = min(own, key=lambda damage: damage.path)
        rebuild = Rebuild(f"file {first.what}", f"{first.path} is not as it was made")
        return Situation(choice=choice, state=state, rebuild=rebuild, foreign=strangers)
    return Situation(choice=choice, state=state, rebuild=None, damages=tuple(found), foreign=strangers, times=times)


def _why_anew(application: Application, state: State, current: Interpreter, chosen: Interpreter) -> Rebuild | None:
    if elsewhere(state, application.venv):
        return Rebuild("moved", f"it was made at {state.venv}")
    if current.version != chosen.version or current.kind != chosen.kind:
        return Rebuild("interpreter", f"Python {current.version} → {chosen.version}")
    if current.executable != chosen.executable:
        return Rebuild("interpreter", f"{current.executable} → {chosen.executable}")
    if current.identity != chosen.identity:
        return Rebuild("interpreter", f"{chosen.executable} was replaced")
    return None


def _strangers(application: Application) -> tuple[Foreign, ...]:
    found: list[Foreign] = []
    for site in sorted(application.venv.glob("lib/*/site-packages")) if application.venv.is_dir() else ():
        found += foreign(application.venv, str(site.relative_to(application.venv)), {})
    return tuple(found)
