"""Credentials in declared URLs: a lock is written without them, and pip needs them again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from isolate.redaction import without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from isolate.locked import LockedDistribution

VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


def credentials_in(declared_urls: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return those of *declared_urls* that hold credentials, by the URL that a lock has instead.

    Variables in a URL are replaced by their values in *environ*.
    """
    by_locked_url = {}
    for url in declared_urls:
        try:
            complete = _as_reported(VARIABLE.sub(lambda match: environ.get(match[1]) or match[0], url))
        except ValueError:  # not a valid URL: pip reports that
            continue
        if (bare := without_credentials(complete)) != complete:
            by_locked_url[bare] = complete
    return by_locked_url


def with_credentials(locked: LockedDistribution, credentials: Mapping[str, str]) -> LockedDistribution:
    """Return *locked* with the declared *credentials* in its URL. Only pip may see the result."""
    table = {
        key: {**source, "url": credentials[source["url"]]}
        for key, source in locked.table.items()
        if key in ("archive", "vcs") and source.get("url") in credentials
    }
    return locked._replace(table={**locked.table, **table}) if table else locked


def _as_reported(url: str) -> str:
    """Return *url* as pip reports it, but with credentials: without fragment, VCS prefix and revision."""
    parts = urlsplit(url)
    vcs, plus, scheme = parts.scheme.partition("+")
    path = re.sub(r"@[^@]*$", "", parts.path) if plus else parts.path
    return urlunsplit((scheme if plus else vcs, parts.netloc, path, parts.query, ""))
