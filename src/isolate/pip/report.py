"""Read pip's installation report into values. Pure.

The format is documented: https://pip.pypa.io/en/stable/reference/installation-report/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name

from isolate.errors import PipFailed
from isolate.redaction import without_credentials

HINT = "upgrade isolate to a newer release"


class ResolvedDistribution(NamedTuple):
    """A distribution that pip chose.

    `name` is normalized, and `url` is without credentials. `is_direct` tells that a declaration gives its URL,
    `requested` that one names it. `index_url` is the one index that it may come from, if there is one. `vcs` has the
    type, the commit and the requested revision.
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
    provides_extra: tuple[str, ...] = ()
    index_url: str | None = None
    vcs: tuple[str, str, str | None] | None = None
    subdirectory: str | None = None
    is_directory: bool = False
    editable: bool = False


def read_report(text: str) -> tuple[ResolvedDistribution, ...]:
    """Return what pip would install, or has installed, by the report in *text*.

    Raises `PipFailed` if *text* is not a report of version 1, or 0 (pip 22.2 and 22.3: an experiment).
    """
    try:
        table = json.loads(text)
        if table["version"] not in ("0", "1"):
            problem = f"pip's installation report has version {table['version']}, and isolate reads version 1"
            raise PipFailed(problem, hint=HINT)
        return tuple(map(_resolved, table["install"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PipFailed(f"pip's installation report cannot be read: {error}", hint=HINT) from None


def _resolved(item: Mapping[str, Any]) -> ResolvedDistribution:
    info, metadata = item["download_info"], item["metadata"]
    archive, directory, vcs = info.get("archive_info") or {}, info.get("dir_info"), info.get("vcs_info")
    return ResolvedDistribution(
        name=canonicalize_name(metadata["name"]),
        version=metadata["version"],
        url=without_credentials(info["url"]),
        hashes=_hashes(archive),
        is_direct=item["is_direct"],
        requested=item["requested"],
        requested_extras=tuple(item.get("requested_extras", ())),
        requires_dist=tuple(metadata.get("requires_dist", ())),
        requires_python=metadata.get("requires_python"),
        provides_extra=tuple(map(canonicalize_name, metadata.get("provides_extra", ()))),
        vcs=(vcs["vcs"], vcs["commit_id"], vcs.get("requested_revision")) if vcs else None,
        subdirectory=info.get("subdirectory"),
        is_directory=directory is not None,
        editable=bool((directory or {}).get("editable")),
    )


def _hashes(archive: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes of an artifact by algorithm. pip reports one as `hash`, since 23.0 all of them as `hashes`."""
    algorithm, _, digest = str(archive.get("hash") or "").partition("=")
    return dict(archive.get("hashes") or ({algorithm: digest} if digest else {}))
