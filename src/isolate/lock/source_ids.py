"""Identify where a distribution comes from that is requested by URL or path: as declared, and as locked."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from isolate.lock.artifact import demanded
from isolate.redaction import without_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from isolate.declarations.declared import Declarations, DeclaredRequirement

VARIABLE = "${"
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MARKER_SIGN = re.compile(r"\s;|;\s")
HASH_IN_URL = re.compile(r"[#&](md5|sha1|sha224|sha256|sha384|sha512)=([0-9a-fA-F]+)")
EXTRAS_IN_URL = re.compile(r"^([^#]*?)\[[^][/]*\]")
EXTRAS_AT_END = re.compile(r"\[([^][/]*)\]\s*(?:[#;]|$)")
SUBDIRECTORY = re.compile(r"[#&]subdirectory=([^&]*)")


class Source(NamedTuple):
    """Where a distribution comes from. Two spellings of the same source are equal.

    `location` is a URL or an absolute path. `vcs` is the type of a repository, and None for anything else. `revision`
    is the requested one, and `commit` what it resolved to, if that is known. `editable` means that the source tree
    itself is imported.
    """

    location: str
    subdirectory: str = ""
    vcs: str | None = None
    editable: bool = False
    revision: str | None = None
    commit: str | None = None

    def is_met_by(self, locked: Source, *, made_by_isolate: bool) -> bool:
        """Return whether *locked* is this declared source, as far as both say enough to compare them.

        A lock *made_by_isolate* records the requested revision. A lock by another tool need not do so.
        """
        if self[:4] != locked[:4]:
            return False
        if made_by_isolate or (self.revision and locked.revision):
            return self.revision == locked.revision
        return COMMIT.fullmatch(self.revision or "") is None or self.revision == locked.commit


def declared_source(declared: DeclaredRequirement) -> Source | None:
    """Return the source of *declared*.

    Returns None for a requirement that comes from an index, and for a requirement with a marker but without a name,
    which a lock cannot represent.
    """
    source = _declared(declared)
    return None if source is None else source._replace(editable=declared.editable)


def _declared(declared: DeclaredRequirement) -> Source | None:
    url = declared.url
    is_named = declared.requirement is not None and declared.requirement.url is not None
    if not is_named and MARKER_SIGN.search(declared.text):
        return None
    if url is None:
        return None if declared.path is None else Source(os.path.realpath(declared.path))
    if declared.editable and not is_named:
        url = EXTRAS_IN_URL.sub(r"\1", url)
    vcs, plus, repository = url.partition("+")
    if not plus or not vcs.isalpha():
        return _source_at(url)
    return _repository(vcs, repository)


def _repository(vcs: str, url: str) -> Source | None:
    """Return the source for the *url* of a repository, which may end with `@revision`."""
    bare, mark, fragment = url.partition("#")
    before, at, revision = bare.rpartition("@")
    if not at or "/" not in before.partition("://")[2]:  # that `@` ends the user name
        return _source_at(url, vcs)
    source = _source_at(before + mark + fragment, vcs)
    return None if source is None else source._replace(revision=revision)


def locked_source(table: Mapping[str, Any]) -> Source | None:
    """Return the source that the *table* of a locked distribution (paths absolute) gives; None if it is an index."""
    vcs = table.get("vcs")
    entry = vcs or table.get("directory") or table.get("archive")
    if entry is None:
        return None
    vcs_type = None if vcs is None else str(vcs["type"])
    if "path" in entry:
        source: Source | None = Source(os.path.realpath(entry["path"]), vcs=vcs_type)
    else:
        source = _source_at(
            entry["url"].removeprefix(f"{vcs_type}+"), vcs_type
        )  # pip writes the type twice for svn+ssh
    if source is None:
        return None
    return source._replace(
        subdirectory=str(entry.get("subdirectory", "")).strip("/"),
        revision=entry.get("requested-revision"),
        commit=entry.get("commit-id"),
        editable=bool(entry.get("editable")),
    )


def declared_extras(declared: DeclaredRequirement) -> frozenset[str]:
    """Return the normalized extras that *declared* requests of its distribution, with or without a name."""
    if declared.requirement is not None:
        return frozenset(map(canonicalize_name, declared.requirement.extras))
    match = EXTRAS_AT_END.search(declared.text)
    extras = match[1].split(",") if match else ()
    return frozenset(canonicalize_name(extra.strip()) for extra in extras if extra)


def is_local(declared: DeclaredRequirement) -> bool:
    """Return whether *declared* names a source tree or an archive on this machine."""
    return declared.path is not None or (declared.url or "").startswith("file:")


def declared_hashes(declared: DeclaredRequirement) -> frozenset[str]:
    """Return the hashes (`algorithm:digest`) of which the artifact must have one, including the one in the URL."""
    match = HASH_IN_URL.search(declared.url or "")
    return declared.hashes | ({f"{match[1]}:{match[2].lower()}"} if match else frozenset())


def hashes_by_name(declarations: Declarations) -> dict[str, frozenset[str]]:
    """Return the hashes (`algorithm:digest`) that the declarations demand, by the name of the distribution."""
    found: dict[str, frozenset[str]] = {}
    for declared in (*declarations.requirements, *declarations.constraints):
        if declared.name is not None and (hashes := declared_hashes(declared)):
            found[declared.name] = found.get(declared.name, frozenset()) | hashes
    return {name: demanded(hashes) for name, hashes in found.items()}


def _source_at(url: str, vcs: str | None = None) -> Source | None:
    """Return the source at *url*, without its credentials.

    Returns None if *url* is not absolute, or if it contains a variable, because only pip replaces it.
    """
    parts = urlsplit(without_credentials(url))
    path, host = unquote(parts.path), parts.netloc.rpartition("@")[2].lower()
    if not parts.scheme or not path.startswith("/") or VARIABLE in f"{host}{path}{parts.query}":
        return None
    match = SUBDIRECTORY.search(url)
    subdirectory = unquote(match[1]).strip("/") if match else ""
    if parts.scheme == "file":
        return Source(os.path.realpath(path), subdirectory, vcs)
    query = f"?{parts.query}" if parts.query else ""
    return Source(f"{parts.scheme}://{host}{path.rstrip('/')}{query}", subdirectory, vcs)
