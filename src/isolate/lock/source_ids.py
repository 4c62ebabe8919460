"""Where a distribution comes from that is asked for by its address or its path: as declared, and as locked."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from isolate.declarations.declared import DeclaredRequirement

VARIABLE = "${"
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MARKED = re.compile(r"\s;|;\s")
IN_FRAGMENT = re.compile(r"[#&](md5|sha1|sha224|sha256|sha384|sha512)=([0-9a-fA-F]+)")
EXTRAS = re.compile(r"^([^#]*?)\[[^][/]*\]")
EXTRAS_AT_END = re.compile(r"\[([^][/]*)\]\s*(?:[#;]|$)")
SUBDIRECTORY = re.compile(r"[#&]subdirectory=([^&]*)")


class Source(NamedTuple):
    """Where a distribution comes from, so that two ways to write the same are equal.

    `vcs` is the kind of a repository, None for anything else; `revision` is what is asked of it, and `commit` what that
    came to, if that is known. `editable` says that a source tree itself is to be imported.
    """

    where: str
    subdirectory: str = ""
    vcs: str | None = None
    editable: bool = False
    revision: str | None = None
    commit: str | None = None

    def is_met_by(self, locked: Source, *, ours: bool) -> bool:
        """Say whether *locked* is what this declared source asks for, as far as both tell.

        A lock by another tool need not say which revision was asked for; one of *ours* does.
        """
        if self[:4] != locked[:4]:
            return False
        if ours or (self.revision and locked.revision):
            return self.revision == locked.revision
        return COMMIT.fullmatch(self.revision or "") is None or self.revision == locked.commit


def declared_source(declared: DeclaredRequirement) -> Source | None:
    """Return where *declared* has its distribution from; None if it does not say, or in a way that no lock does.

    That is what has no name but a marker.
    """
    found = _declared(declared)
    return None if found is None else found._replace(editable=declared.editable)


def _declared(declared: DeclaredRequirement) -> Source | None:
    url = declared.url
    named = declared.requirement is not None and declared.requirement.url is not None
    if not named and MARKED.search(declared.text):
        return None
    if url is None:
        return None if declared.path is None else Source(os.path.realpath(declared.path))
    if declared.editable and not named:
        url = EXTRAS.sub(r"\1", url)
    kind, plus, address = url.partition("+")
    if not plus or not kind.isalpha():
        return _source(url)
    bare, mark, fragment = address.partition("#")
    before, at, revision = bare.rpartition("@")
    if not at or "/" not in before.partition("://")[2]:  # that `@` ends a user's name
        return _source(address, kind)
    found = _source(before + mark + fragment, kind)
    return None if found is None else found._replace(revision=revision)


def locked_source(table: Mapping[str, Any]) -> Source | None:
    """Return where the *table* of a locked distribution, paths absolute, has it from; None if from an index."""
    vcs = table.get("vcs")
    entry = vcs or table.get("directory") or table.get("archive")
    if entry is None:
        return None
    kind = None if vcs is None else str(vcs["type"])
    if "path" in entry:
        found: Source | None = Source(os.path.realpath(entry["path"]), vcs=kind)
    else:  # pip writes `svn+ssh`
        found = _source(entry["url"].removeprefix(f"{kind}+"), kind)
    if found is None:
        return None
    return found._replace(
        subdirectory=str(entry.get("subdirectory", "")).strip("/"),
        revision=entry.get("requested-revision"),
        commit=entry.get("commit-id"),
        editable=bool(entry.get("editable")),
    )


def declared_extras(declared: DeclaredRequirement) -> frozenset[str]:
    """Return the extras, normalized, that *declared* asks of its distribution."""
    if declared.requirement is not None:
        return frozenset(map(canonicalize_name, declared.requirement.extras))
    found = EXTRAS_AT_END.search(declared.text)
    return (
        frozenset(canonicalize_name(extra.strip()) for extra in found[1].split(",") if extra) if found else frozenset()
    )


def is_local(declared: DeclaredRequirement) -> bool:
    """Say whether *declared* names something on this machine."""
    return declared.path is not None or (declared.url or "").startswith("file:")


def declared_hashes(declared: DeclaredRequirement) -> frozenset[str]:
    """Return the hashes (`algorithm:digest`) one of which the artifact has to have, also that in an address."""
    found = IN_FRAGMENT.search(declared.url or "")
    return declared.hashes | ({f"{found[1]}:{found[2].lower()}"} if found else frozenset())


def _source(url: str, vcs: str | None = None) -> Source | None:
    """Return the source at *url*, which has no credentials then; None if that is no absolute address.

    Nor is one with a variable in it that only pip fills in.
    """
    parts = urlsplit(url)
    path, host = unquote(parts.path), parts.netloc.rpartition("@")[2].lower()
    if not parts.scheme or not path.startswith("/") or VARIABLE in f"{host}{path}{parts.query}":
        return None
    found = SUBDIRECTORY.search(url)
    subdirectory = unquote(found[1]).strip("/") if found else ""
    if parts.scheme == "file":
        return Source(os.path.realpath(path), subdirectory, vcs)
    query = f"?{parts.query}" if parts.query else ""
    return Source(f"{parts.scheme}://{host}{path.rstrip('/')}{query}", subdirectory, vcs)
