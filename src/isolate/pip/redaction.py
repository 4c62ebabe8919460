"""Credentials do not leave the place where the user put them. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

CREDENTIALS = re.compile(r"(?<=://)[^/\s@'\"]+@")
"""What stands between `//` and the last `@` of an address."""


def redact(text: str) -> str:
    """Return *text* with `****@` in place of the user name and password of every address in it, as pip writes it."""
    return CREDENTIALS.sub(lambda found: found[0] if found[0] == "git@" else "****@", text)


def without_credentials(url: str) -> str:
    """Return *url* without user name and password. Names of variables (`${TOKEN}@`), and the user `git`, stay."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at or user == "git" or re.fullmatch(r"\$\{[A-Z0-9_]+\}(:\$\{[A-Z0-9_]+\})?", user):
        return url
    return urlunsplit(parts._replace(netloc=host))
