"""pip's installation report as values. Pure.

The format is documented: https://pip.pypa.io/en/stable/reference/installation-report/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name

from isolate.errors import PipFailed
from isolate.pip.redaction import without_credentials

HINT = "look for a newer release of isolate"


class ResolvedDistribution(NamedTuple):
    """A distribution that pip chose: `name` normalized, `url` without credentials, `vcs` (type, commit, revision).

    `requested`: a declaration names it; `is_direct`: by its address.
    """

    name: str
    version: str
    url: str
    hashes: Mapping[str, str] = {}
    is_direct: bool = False
    requested: bool = False
    requested_extras: tuple[str, ...] = ()
    requires_dist: tuple[str, ...] = ()
    requires_python: str | None = None
    vcs: tuple[str, str, str | None] | None = None
    subdirectory: str | None = None
    is_directory: bool = False
    editable: bool = False


def read_report(text: str) -> tuple[ResolvedDistribution, ...]:
    """Return what pip would install by the report in *text*; raise `PipFailed` if it is none of version 1."""
    try:
        table = json.loads(text)
        if table["version"] != "1":
            raise PipFailed(f"pip's report is of version {table['version']}, not 1", hint=HINT)
        return tuple(map(_reported, table["install"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PipFailed(f"pip's report cannot be read: {error}", hint=HINT) from None


def _reported(item: Mapping[str, Any]) -> ResolvedDistribution:
    where, metadata = item["download_info"], item["metadata"]
    archive, directory, vcs = where.get("archive_info") or {}, where.get("dir_info"), where.get("vcs_info")
    return ResolvedDistribution(
        name=canonicalize_name(metadata["name"]),
        version=metadata["version"],
        url=without_credentials(where["url"]),
        hashes=_hashes(archive),
        is_direct=item["is_direct"],
        requested=item["requested"],
        requested_extras=tuple(item.get("requested_extras", ())),
        requires_dist=tuple(metadata.get("requires_dist", ())),
        requires_python=metadata.get("requires_python"),
        vcs=(vcs["vcs"], vcs["commit_id"], vcs.get("requested_revision")) if vcs else None,
        subdirectory=where.get("subdirectory"),
        is_directory=directory is not None,
        editable=bool((directory or {}).get("editable")),
    )


def _hashes(archive: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes of an artifact; before pip 23.1 there was one, as `name=value`."""
    if archive.get("hashes"):
        return dict(archive["hashes"])
    name, _, value = str(archive.get("hash", "")).partition("=")
    return {name: value} if value else {}
