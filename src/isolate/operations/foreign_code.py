"""Code in an environment that nothing proves: files that neither a package nor `venv` brought, and compiled files."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from isolate.environment.proof import is_proven
from isolate.environment.pycache import source_of
from isolate.store.manifest import CODE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from isolate.environment.proof import Listing
    from isolate.store.manifest import File


def unproven_bytecode(venv: Path, files: Listing, owned: set[str], known: Iterable[File]) -> tuple[str, ...]:
    """Return the compiled files of *owned* modules, except those that are as *known*: the store has them as well."""
    compiled = {path: status for path, status in files.items() if path not in owned and source_of(path) in owned}
    if not compiled:
        return ()
    proven = {file.path for file in known if is_proven(venv, compiled, file)}
    return tuple(sorted(compiled.keys() - proven))


def foreign_code(files: Listing, owned: set[str]) -> Iterable[str]:
    """Yield the *files* that Python or a shell would find, and that neither a package nor `venv` brought."""
    for path in sorted(files.keys() - owned):
        if source_of(path) is None and _is_searched(path, is_link=stat.S_ISLNK(files[path].st_mode)):
            yield path


SEARCHED_SUFFIXES = (*CODE_SUFFIXES, ".pyc", ".egg-link")
METADATA_SUFFIXES = (".dist-info", ".egg-info")
PIP_CONFIGURATION = "pip.conf"
"""The environment's pip would take its index from there."""


def _is_searched(path: str, *, is_link: bool) -> bool:
    """Return whether *path* is a script, configures pip, or is what an import or a search for metadata could find."""
    if path.startswith("bin/") or path == PIP_CONFIGURATION:
        return True
    _, site, inner = f"/{path}".partition("/site-packages/")
    metadata = inner.partition("/")[0].endswith(METADATA_SUFFIXES)
    return bool(site) and (is_link or metadata or path.endswith(SEARCHED_SUFFIXES))
