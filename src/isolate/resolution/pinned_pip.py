"""Whether an application pins the pip of its environment, which then resolves for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from isolate.lock.artifact import demanded
from isolate.lock.graph import applies_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from isolate.declarations.declared import Declarations, DeclaredRequirement


def pinned_pip(declarations: Declarations, markers: Mapping[str, str]) -> tuple[str, frozenset[str]] | None:
    """Return the version of pip that every environment of the application gets, and its declared hashes.

    None if *declarations* do not require pip, or leave the version open. The pin may be that of a constraint.
    """
    required = [*_about_pip(declarations.requirements, markers)]
    if not any(declared.extra is None and declared.group is None for declared in required):
        return None
    for declared in (*required, *_about_pip(declarations.constraints, markers)):
        if declared.pin is not None and _is_version(declared.pin):
            return declared.pin, demanded(declared.hashes)
    return None


def _is_version(text: str) -> bool:
    try:
        return bool(str(Version(text)))
    except InvalidVersion:
        return False


def _about_pip(
    requirements: tuple[DeclaredRequirement, ...], markers: Mapping[str, str]
) -> Iterator[DeclaredRequirement]:
    for declared in requirements:
        name = "" if declared.requirement is None else declared.requirement.name
        if name.lower() == "pip" and applies_here(declared, markers):
            yield declared
