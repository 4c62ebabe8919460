"""What a lock means for one interpreter and one selection."""

from __future__ import annotations

import os
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from packaging.pylock import Package, PackageDirectory, PackageSdist, PackageVcs, PackageWheel, PylockSelectError

from isolate.errors import StaleLock
from isolate.lock.graph import applies
from isolate.locked import LockedDistribution

if TYPE_CHECKING:
    from packaging.pylock import PackageArchive, Pylock

    from isolate.interpreters.interpreter import Interpreter
    from isolate.locked import Selection
    from isolate.pip.report import ResolvedDistribution

    Source = PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist

THIS_PYTHON = re.compile(r"""python_version == ["'](\d+\.\d+)["']""")
MOST_ENVIRONMENTS = 3


def select(
    lock: Pylock, interpreter: Interpreter, selection: Selection, *, root: str
) -> tuple[LockedDistribution, ...]:
    """Return what *lock* puts into an environment of *interpreter*, ordered by name (PEP 751, "Installation").

    *root* is the absolute directory of the lock, which its relative paths start from. Raises `StaleLock` if the lock
    does not serve the interpreter.
    """
    try:
        chosen = list(
            lock.select(
                environment=dict(interpreter.markers),  # type: ignore[arg-type]
                tags=interpreter.tags(),
                extras=selection.extras,
                dependency_groups=selection.groups,
            )
        )
    except PylockSelectError as error:
        problem = f"the lock does not serve Python {interpreter.version} on this machine"
        if supports(lock, interpreter):
            raise StaleLock(problem, facts=(str(error),), hint="run `isolate lock`") from None
        raise StaleLock(problem, facts=(_mismatch(lock, interpreter),), hint=other_python(lock)) from None
    locked = (_locked(package, source, root) for package, source in chosen)
    return tuple(
        sorted(
            (one for one in locked if selection.project or one.directory != os.path.normpath(root)),
            key=lambda one: one.name,
        )
    )


def supports(lock: Pylock, interpreter: Interpreter) -> bool:
    """Say whether *lock* is for Pythons and machines like *interpreter* and this one, whatever it holds for them."""
    version, environments = lock.requires_python, lock.environments
    return (version is None or version.contains(interpreter.version, prereleases=True)) and (
        not environments or any(applies(one, interpreter.markers) for one in environments)
    )


def other_python(lock: Pylock) -> str:
    """Return a hint for an interpreter that *lock* does not serve."""
    named = {version for one in lock.environments or () for version in THIS_PYTHON.findall(str(one))}
    versions = sorted(named, key=lambda version: tuple(map(int, version.split("."))))
    which = f"--python {versions[-1]}" if versions else "--python"
    return f"choose a Python that it is for ({which}), or run `isolate lock` to decide anew for this one"


def _mismatch(lock: Pylock, interpreter: Interpreter) -> str:
    places = [str(one) for one in lock.environments or ()]
    shown = " or ".join([*places[:MOST_ENVIRONMENTS], *(["…"] if len(places) > MOST_ENVIRONMENTS else [])])
    meant = ", ".join(filter(None, [f"Python {lock.requires_python}" if lock.requires_python else "", shown]))
    keys = ("implementation_name", "sys_platform", "platform_machine")
    here = ", ".join(interpreter.markers[key] for key in keys)
    return f"it is for {meant}, and this is Python {interpreter.version} ({here})"


def _locked(package: Package, source: Source, root: str) -> LockedDistribution:
    table: dict[str, Any] = {"name": package.name}
    if package.version is not None:
        table["version"] = str(package.version)
    entry = _entry(source, root)
    match source:
        case PackageWheel():
            table["wheels"] = [entry]
        case PackageSdist():
            table["sdist"] = entry
        case PackageVcs():
            table["vcs"] = entry
        case PackageDirectory():
            table["directory"] = entry
        case _:
            table["archive"] = entry
    return LockedDistribution(
        name=package.name, version=table.get("version"), source_id=_source_id(source, entry), table=table
    )


def _entry(source: Source, root: str) -> dict[str, Any]:
    values = {one.name: getattr(source, one.name) for one in fields(source)}
    found = {name: value for name, value in values.items() if value is not None and name != "upload_time"}
    if "path" in found:
        found["path"] = os.path.normpath(os.path.join(root, found["path"]))
    if "hashes" in found:
        found["hashes"] = dict(found["hashes"])
    return {name.replace("_", "-"): value for name, value in found.items()}


def _source_id(source: Source, entry: dict[str, Any]) -> str:
    where = str(entry.get("url") or entry.get("path"))
    subdirectory = f"#{entry['subdirectory']}" if "subdirectory" in entry else ""
    match source:
        case PackageVcs():
            return f"{source.type}:{source.commit_id}:{where}{subdirectory}"
        case PackageDirectory():
            return f"directory:{where}{subdirectory}" + (":editable" if source.editable else "")
        case _:
            return best_hash(dict(source.hashes)) + subdirectory


def as_locked(item: ResolvedDistribution) -> LockedDistribution:
    """Return what pip installed by name, and reported with a hash, as the store knows it."""
    return LockedDistribution(
        name=item.name,
        version=item.version,
        source_id=best_hash(dict(item.hashes)),
        table={"wheels": [{"url": item.url}]},
    )


def best_hash(hashes: dict[str, str]) -> str:
    """Return `algorithm:digest` for the hash of *hashes* that everybody uses, sha256, or the first by name."""
    name = "sha256" if "sha256" in hashes else min(hashes)
    return f"{name}:{hashes[name]}"
