"""Explain failures to get something from a package index or another server. Pure.

Each function returns the failure that pip's output reports, or None if it reports another kind.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from isolate.errors import PipFailed
from isolate.pip.diagnostic import last_diagnostic
from isolate.pip.origins import search_locations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isolate.pip.origins import Declaration

CREDENTIALS_HINT = (
    "put them into the index URL or ~/.netrc, or set a keyring-provider in pip's settings: pip cannot prompt here"
)
NETWORK_HINT = "check the network and pip's index settings, then run it again; --offline uses only what is in the store"
PROXY_HINT = "check the proxy in pip's settings, or the variables HTTP_PROXY and HTTPS_PROXY, then run it again"
SSL_HINT = "install a Python that has the ssl module, or choose one with --python"
URL_HINT = "check the URL; if it is in the lock alone, run `isolate lock --upgrade`"

UNREACHABLE = "the package index cannot be reached"
NO_RESPONSE = "the package index did not respond in time"
NOT_TRUSTED = "TLS verification of the package index failed"
CUT_OFF = "the package index closed the connection during a download"
PROXY_UNREACHABLE = "the proxy cannot be reached"

PROBLEMS = {
    "connection-failed": (UNREACHABLE, NETWORK_HINT),
    "connection-timeout": (NO_RESPONSE, NETWORK_HINT),
    "incomplete-download": (CUT_OFF, NETWORK_HINT),
    "proxy-connection-failed": (PROXY_UNREACHABLE, PROXY_HINT),
    "ssl-missing": (UNREACHABLE, SSL_HINT),
    "ssl-verification-failed": (NOT_TRUSTED, NETWORK_HINT),
}
"""The problem and the hint, by the reference of pip's diagnostic."""

INDEX_SIGNS = (
    (
        r"\b(401|403)\b.*(Error|while getting)",
        "the package index rejected the credentials or requires them",
        CREDENTIALS_HINT,
    ),
    (r"HTTP error 4(04|10) while getting", "the file to download does not exist", URL_HINT),
    (r"HTTP error 4\d\d while getting", "the server rejected the request", NETWORK_HINT),
    (r"5\d\d error responses|HTTP error 5\d\d", "the server returned an error", NETWORK_HINT),
    (r"IncompleteRead|ProtocolError", CUT_OFF, NETWORK_HINT),
    (r"timed out|ReadTimeout|ConnectTimeout", NO_RESPONSE, NETWORK_HINT),
    (r"CERTIFICATE_VERIFY_FAILED|SSLError|ssl certificate", NOT_TRUSTED, NETWORK_HINT),
    (r"ProxyError", PROXY_UNREACHABLE, PROXY_HINT),
    (r"NewConnection|NameResolution|ConnectionError|connection broken", UNREACHABLE, NETWORK_HINT),
)
"""Signs in what pip reports without a diagnostic; for each, the problem and the hint.

That is every failure to get a page of an index, and up to pip 26.1 nearly every failure of a download.
"""

INDEX_REASON = re.compile(
    r"\[Errno -?\d+\] [^'\")]+|\[SSL[^\]]*\][^(\"']*|Read timed out|too many \d+ error responses|"
    r"HTTP error \d+ while getting \S+|\d+ Error, .*"
)
"""Matches the part of a line about an index that gives the reason."""


def download_failure(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure of a download for which pip has a diagnostic, or None."""
    del declared
    diagnostic = last_diagnostic(output)
    if diagnostic is None or diagnostic.reference not in PROBLEMS:
        return None
    problem, hint = PROBLEMS[diagnostic.reference]
    return PipFailed(problem, facts=(diagnostic.message, *diagnostic.context), hint=hint)


def index_failure(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that an index, or the server of a URL, does not give what pip asks for, or None."""
    del declared
    lines = [line.strip() for line in output.splitlines()]
    if "(from versions: none)" not in output:  # the retries succeeded, so they are not the cause
        lines = [line for line in lines if not line.startswith("WARNING: Retrying")]
    for sign, problem, hint in INDEX_SIGNS:
        line = next((line for line in lines if re.search(sign, line)), None)
        if line is not None:
            reason = INDEX_REASON.search(line)
            facts = (reason[0].strip() if reason else line, *search_locations(output))
            return PipFailed(problem, facts=facts, hint=hint)
    return None
