"""Select what a lock installs for one interpreter and one selection of extras and groups."""

from __future__ import annotations

import os
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.markers import UndefinedEnvironmentName
from packaging.pylock import Package, PackageDirectory, PackageSdist, PackageVcs, PackageWheel, PylockSelectError

from isolate.errors import StaleLock
from isolate.lock.artifact import artifact_id, ensure_only_hash, sdist_name, sha256_of
from isolate.lock.graph import applies
from isolate.lock.locked_selections import not_locked
from isolate.lock.parts import as_options, parts_of
from isolate.locked import LockedDistribution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.pylock import PackageArchive, Pylock

    from isolate.interpreters.interpreter import Interpreter
    from isolate.locked import Selection
    from isolate.pip.report import ResolvedDistribution

    Source = PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist

PYTHON_VERSION_MARKER = re.compile(r"""python_version == ["'](\d+\.\d+)["']""")

MAX_ENVIRONMENTS = 3
"""How many environments of a lock a message names."""


class Chosen(NamedTuple):
    """An entry of a lock that is installed, and the distribution that is installed from it."""

    package: Package
    locked: LockedDistribution


def select(
    lock: Pylock, interpreter: Interpreter, selection: Selection, *, root: str
) -> tuple[LockedDistribution, ...]:
    """Return what *lock* installs into an environment of *interpreter*, ordered by name (PEP 751, "Installation").

    *root* is the absolute path of the lock's directory, from which its relative paths start. Raises `StaleLock` if the
    lock does not support the interpreter, or does not have the extras and groups of *selection* together.
    """
    return tuple(chosen.locked for chosen in choose(lock, interpreter, selection, root=root))


def choose(lock: Pylock, interpreter: Interpreter, selection: Selection, *, root: str) -> list[Chosen]:
    """Return what `select` returns, each with its entry in the lock."""
    if supports(lock, interpreter) and (reason := not_locked(lock, selection)) is not None:
        hint = f"run `isolate sync {as_options(parts_of(selection))}` without --locked and --frozen"
        raise StaleLock("the lock does not have what is asked for", facts=(reason,), hint=hint)
    try:
        selected = list(
            lock.select(
                environment=dict(interpreter.markers),  # type: ignore[arg-type]
                tags=interpreter.tags(),
                extras=selection.extras,
                dependency_groups=selection.groups,
            )
        )
    except PylockSelectError as error:
        problem = f"the lock does not support Python {interpreter.version} on this platform"
        if supports(lock, interpreter):
            raise StaleLock(problem, facts=(str(error),), hint="run `isolate lock`") from None
        raise StaleLock(problem, facts=(_mismatch(lock, interpreter),), hint=other_python(lock)) from None
    distributions = ((package, _locked(package, source, root)) for package, source in selected)
    chosen = (
        Chosen(package, dist if selection.editable else dist.as_copy)
        for package, dist in distributions
        if selection.project or dist.directory != os.path.normpath(root)
    )
    return sorted(chosen, key=lambda each: each.locked.name)


def is_installed(package: Package, markers: Mapping[str, str], selection: Selection) -> bool:
    """Return whether the marker of *package* is true in the environment of *markers* with the parts of *selection*."""
    parts = {"extras": frozenset(selection.extras), "dependency_groups": frozenset(selection.groups)}
    try:
        return package.marker is None or package.marker.evaluate({**markers, **parts}, context="lock_file")
    except UndefinedEnvironmentName:
        return False


def supports(lock: Pylock, interpreter: Interpreter) -> bool:
    """Return whether *lock* is for *interpreter* and this platform, by its `requires-python` and `environments`."""
    required, environments = lock.requires_python, lock.environments
    return (required is None or required.contains(interpreter.version, prereleases=True)) and (
        not environments or any(applies(marker, interpreter.markers) for marker in environments)
    )


def other_python(lock: Pylock) -> str:
    """Return a hint for a user whose interpreter *lock* does not support."""
    named = {version for marker in lock.environments or () for version in PYTHON_VERSION_MARKER.findall(str(marker))}
    versions = sorted(named, key=lambda version: tuple(map(int, version.split("."))))
    option = f"use --python {versions[-1]}" if versions else "choose a different Python with --python"
    return f"{option}, or run `isolate lock` to re-resolve for this Python"


def _mismatch(lock: Pylock, interpreter: Interpreter) -> str:
    markers = [str(marker) for marker in lock.environments or ()]
    shown = " or ".join([*markers[:MAX_ENVIRONMENTS], *(["…"] if len(markers) > MAX_ENVIRONMENTS else [])])
    supported = ", ".join(filter(None, [f"Python {lock.requires_python}" if lock.requires_python else "", shown]))
    keys = ("implementation_name", "sys_platform", "platform_machine")
    platform = ", ".join(interpreter.markers[key] for key in keys)
    return f"the lock is for {supported}; this is Python {interpreter.version} ({platform})"


def _locked(package: Package, source: Source, root: str) -> LockedDistribution:
    table: dict[str, Any] = {"name": package.name}
    if package.version is not None:
        table["version"] = str(package.version)
    entry = _entry(source, root)
    _ensure_plain(package.name, source, entry)
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
    """Return *source* as a table of a lock, with an absolute path."""
    values = {field.name: getattr(source, field.name) for field in fields(source)}
    entry = {name: value for name, value in values.items() if value is not None and name != "upload_time"}
    if "path" in entry:
        entry["path"] = os.path.normpath(os.path.join(root, entry["path"]))
    if "hashes" in entry:
        entry["hashes"] = dict(entry["hashes"])
        if "url" in entry:  # a fragment is not sent to the server, and pip takes a hash in it for an alternative
            entry["url"] = entry["url"].partition("#")[0]
    return {name.replace("_", "-"): value for name, value in entry.items()}


def _ensure_plain(name: str, source: Source, entry: dict[str, Any]) -> None:
    """Raise `StaleLock` if a part of *entry* smuggles a hash, or another fragment, into the URL that pip gets."""
    if "hashes" in entry:
        ensure_only_hash(name, entry.get("url", ""), entry["hashes"])
    subdirectory = getattr(source, "subdirectory", None) or ""
    if "#" in subdirectory or "&" in subdirectory:
        raise StaleLock(
            f"the lock gives a subdirectory for {name} that pip cannot use",
            facts=(f"the subdirectory of {name} contains # or &",),
            hint="run `isolate lock`",
        )


def _source_id(source: Source, entry: dict[str, Any]) -> str:
    location = str(entry.get("url") or entry.get("path"))
    subdirectory = f"#{entry['subdirectory']}" if "subdirectory" in entry else ""
    match source:
        case PackageVcs():
            return f"{source.type}:{source.commit_id}:{location}{subdirectory}"
        case PackageDirectory():
            return f"directory:{location}{subdirectory}" + (":editable" if source.editable else "")
        case _:
            return artifact_id(source.hashes, subdirectory)


def as_locked(item: ResolvedDistribution) -> LockedDistribution:
    """Return *item*, which pip chose by name, as it would be locked. Raises `ValueError` if its sha256 is not known.

    The table has only what identifies the artifact, and what pip needs to fetch it.
    """
    digest = sha256_of(item.hashes)
    if digest is None:
        raise ValueError(f"the sha256 of {item.name} {item.version} is not known")
    filename = unquote(urlsplit(item.url).path).rpartition("/")[2]
    is_wheel = filename.endswith(".whl")
    name = filename if is_wheel else sdist_name(filename, item.name, item.version)
    artifact = {"name": name, "url": item.url, "hashes": {"sha256": digest}}
    table = {"wheels": [artifact]} if is_wheel else {"sdist": artifact}
    return LockedDistribution(
        name=item.name,
        version=item.version,
        source_id=f"sha256:{digest}",
        table={"name": item.name, "version": item.version, **table},
    )
