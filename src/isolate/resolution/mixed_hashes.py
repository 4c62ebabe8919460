"""Declarations that give hashes, beside requirements that cannot have one: a full commit, or a source tree.

pip demands a hash for everything as soon as one requirement has one, and then refuses these. Here, a commit names one
content as a hash does, and a source tree is the repository's own. Everything else still needs a hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from isolate.errors import PipFailed
from isolate.lock.source_ids import COMMIT, declared_hashes, declared_source, hashes_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.pip.report import ResolvedDistribution

NO_REQUIRE_HASHES = "--no-require-hashes"
ACCEPTS_OPTION = Version("26.3")
"""A pip that has this option; it then compares those hashes that there are."""


def are_mixed(declarations: Declarations) -> bool:
    """Return whether some requirements have hashes, and all others cannot have one and need none."""
    if "--require-hashes" in declarations.index_options:
        return False
    without = [declared for declared in declarations.requirements if not declared_hashes(declared)]
    has_hashes = any(declared.hashes for declared in (*declarations.requirements, *declarations.constraints))
    return has_hashes and bool(without) and all(map(_needs_none, without))


def _needs_none(declared: DeclaredRequirement) -> bool:
    if declared.path is not None:
        return declared.path.is_dir()
    source = declared_source(declared)
    return source is not None and source.vcs is not None and COMMIT.fullmatch(source.revision or "") is not None


def mixed_lines(lines: Iterable[str], pip_version: str) -> list[str]:
    """Return *lines* of a requirements file so that a pip of *pip_version* demands no hash where there is none.

    An older pip gets no hashes at all: what it chooses is compared with them afterwards.
    """
    if Version(pip_version) >= ACCEPTS_OPTION:
        return [NO_REQUIRE_HASHES, *lines]
    return [line.partition(" --hash=")[0] for line in lines]


def ensure_all_hashed(resolved: Iterable[ResolvedDistribution], declarations: Declarations) -> None:
    """Raise `PipFailed` for an artifact in *resolved* that no declaration gives a hash for."""
    declared = hashes_by_name(declarations)
    missing = [item for item in resolved if not (item.is_directory or item.vcs or item.name in declared)]
    if missing:
        raise PipFailed(
            "hash-checking mode: every requirement needs a hash and a == pin",
            facts=tuple(f"{item.name}=={item.version}" for item in missing),
            hint="add the missing hashes and pins, or remove all hashes",
        )
