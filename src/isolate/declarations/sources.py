"""Where a package comes from if not from the index: a repository, a URL, or a path, as tools write it in tables."""

from __future__ import annotations

import os
import re
from copy import copy
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from isolate.declarations.limits import parsed_requirement
from isolate.declarations.package_source import PackageSource
from isolate.declarations.requirements_options import relocated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.markers import Marker
    from packaging.requirements import Requirement

    from isolate.declarations.declared import DeclaredRequirement

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
CONTROL_OR_BLANK = re.compile(r"[\s\x00-\x1f\x7f]")
SCP_LIKE = re.compile(r"([\w.-]+@[\w.-]+):(?!//)(.+)")
"""Matches the short form of a URL for ssh that git has: `git@host:path`."""


def git_url(repository: str, revision: str | None = None, subdirectory: str | None = None) -> str:
    """Return the URL by which pip installs from the git *repository*, a URL or `git@host:path`, or a path."""
    if match := SCP_LIKE.fullmatch(repository):
        repository = f"ssh://{match[1]}/{match[2]}"
    elif "://" not in repository:
        repository = Path(os.path.abspath(repository)).as_uri()
    repository = repository.removeprefix("git+")
    at = f"@{revision}" if revision else ""
    return f"git+{repository}{at}" + (f"#subdirectory={subdirectory}" if subdirectory else "")


def local_source(path: Path, *, editable: bool = False) -> PackageSource:
    """Return the source at *path*; only a directory can be *editable*."""
    path = Path(os.path.normpath(path))
    return PackageSource(url=path.as_uri(), path=path, editable=editable and os.path.isdir(path))


def from_sources(
    declared: Iterable[DeclaredRequirement], sources: Mapping[str, tuple[PackageSource, ...]]
) -> Iterator[DeclaredRequirement]:
    """Yield *declared*, each from the sources of its name; where none of them counts, as it is.

    Raises `DeclarationError` if one of these sources is refused.
    """
    for entry in declared:
        applying = [source for source in sources.get(entry.name or "", ()) if _counts(source, entry)]
        if not applying or entry.requirement is None or entry.url is not None:
            yield entry
            continue
        yield from (from_source(entry, source) for source in applying)
        markers = [source.marker for source in applying]
        if all(marker is not None for marker in markers):
            yield limited(entry, " and ".join(_negated(marker) for marker in markers if marker is not None))


def _counts(source: PackageSource, entry: DeclaredRequirement) -> bool:
    return source.extra in (None, entry.extra) and source.group in (None, entry.group)


def from_source(entry: DeclaredRequirement, source: PackageSource) -> DeclaredRequirement:
    """Return *entry*, a requirement with a name, as one for *source*, whose version it no longer limits."""
    if source.refused is not None:
        raise source.refused
    entry = entry if source.marker is None else limited(entry, str(source.marker))
    if source.from_index or entry.requirement is None:
        return entry
    requirement = copy(entry.requirement)
    requirement.specifier = type(requirement.specifier)()
    requirement.url = source.url
    requirement = _checked(requirement)
    text = _text(requirement, editable=source.editable)
    return entry._replace(
        text=text, requirement=requirement, url=source.url, path=source.path, editable=source.editable
    )


def _checked(requirement: Requirement) -> Requirement:
    """Return *requirement*; raise `ValueError` if its URL is not valid, or would end a line of a requirements file."""
    url = requirement.url or ""
    if "\0" in unquote(urlsplit(url).path):
        raise ValueError(f"the URL {url!r} contains a NUL character")
    if CONTROL_OR_BLANK.search(url):
        raise ValueError(f"the URL {url!r} contains a blank or a control character")
    return parsed_requirement(str(requirement))


def index_option(name: str, url: str, file: Path) -> str:
    """Return the option *name* with the *url* that *file* declares, as a line of a requirements file elsewhere.

    Raises `ValueError` if the URL would end that line.
    """
    return relocated(name, checked_url(url), file, file.parent)


def checked_url(url: str) -> str:
    """Return *url*; raise `ValueError` if it is not valid, or would end the line of a requirements file."""
    urlsplit(url)
    if CONTROL.search(url):
        raise ValueError(f"the URL {url!r} contains a control character")
    return url


def _text(requirement: Requirement, *, editable: bool) -> str:
    """Return *requirement* as a line; an editable one in the form that older pips know, too, if that is enough."""
    if not editable:
        return str(requirement)
    if requirement.extras or requirement.marker:
        return f"-e {quote(str(requirement))}"
    return f"-e {requirement.url}#egg={requirement.name}"


def limited(entry: DeclaredRequirement, marker: str) -> DeclaredRequirement:
    """Return *entry*, a requirement with a name, where *marker*, and its own marker, are true."""
    if entry.requirement is None:
        return entry
    bare = copy(entry.requirement)
    own, bare.marker = bare.marker, None
    both = f"({own}) and ({marker})" if own else marker
    requirement = parsed_requirement(f"{bare} ; {both}")
    return entry._replace(requirement=requirement, text=_text(requirement, editable=entry.editable))


OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in", "not in": "in"}


def _negated(marker: Marker) -> str:
    """Return a marker that is true where *marker* is not; raise `ValueError` if there is none (`~=`, `===`)."""
    return _negated_part(marker._markers)  # noqa: SLF001 - packaging has no public way to take a marker apart


def _negated_part(part: Any) -> str:
    """Return the negation of a comparison, or of a list of comparisons and lists with `and` and `or` between them."""
    if isinstance(part, list):
        groups: list[list[str]] = [[]]
        for item in part:  # `and` binds closer than `or`
            if item == "or":
                groups.append([])
            elif item != "and":
                groups[-1].append(_negated_part(item))
        return " and ".join(f"({' or '.join(group)})" for group in groups)
    left, operator, right = part
    if (opposite := OPPOSITES.get(operator.value)) is None:
        raise ValueError(f"the opposite of `{operator.value}` cannot be written as a marker")
    return f"{left.serialize()} {opposite} {right.serialize()}"
