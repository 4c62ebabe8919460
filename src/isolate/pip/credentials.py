"""Credentials that stand in declared addresses: a lock is without them, and pip needs them again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from isolate.pip.redaction import without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from isolate.locked import LockedDistribution

VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


def credentials_in(declared: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the *declared* addresses that hold credentials, with variables filled in, by what a lock says instead."""
    found = {}
    for url in declared:
        try:
            whole = _as_reported(VARIABLE.sub(lambda name: environ.get(name[1]) or name[0], url))
        except ValueError:  # no address: pip will say so
            continue
        if (bare := without_credentials(whole)) != whole:
            found[bare] = whole
    return found


def with_credentials(locked: LockedDistribution, credentials: Mapping[str, str]) -> LockedDistribution:
    """Return *locked* with those *credentials* in its address that were declared for it. To be shown to pip alone."""
    table = {
        key: {**source, "url": credentials[source["url"]]}
        for key, source in locked.table.items()
        if key in ("archive", "vcs") and source.get("url") in credentials
    }
    return locked._replace(table={**locked.table, **table}) if table else locked


def _as_reported(url: str) -> str:
    """Return *url* as pip reports it, credentials aside: without fragment, kind of repository and revision."""
    parts = urlsplit(url)
    kind, plus, scheme = parts.scheme.partition("+")
    path = re.sub(r"@[^@]*$", "", parts.path) if plus else parts.path
    return urlunsplit((scheme if plus else kind, parts.netloc, path, parts.query, ""))
