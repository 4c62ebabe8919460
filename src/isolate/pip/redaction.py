"""Remove credentials from texts and URLs, so that they stay in the place where the user put them. Pure."""

from __future__ import annotations

import re

CREDENTIALS = re.compile(r"(?<=://)[^/?#\s\"<>]*@")
"""What is between `//` and the last `@` before the path of a URL."""

HARMLESS = re.compile(r"git@|\$\{[A-Z0-9_]+\}(:\$\{[A-Z0-9_]+\})?@")
"""The user name of public git repositories, and the names of variables that hold the credentials (PEP 610)."""


def redact(text: str) -> str:
    """Return *text* with `****@` in place of the user name and password of every URL in it, as pip writes it.

    Names of variables (`${TOKEN}@`) and the user name `git` are kept.
    """
    return _replaced(text, "****@")


def without_credentials(url: str) -> str:
    """Return *url* without user name and password. Names of variables (`${TOKEN}@`) and the user `git` are kept."""
    return _replaced(url, "")


def _replaced(text: str, substitute: str) -> str:
    return CREDENTIALS.sub(lambda match: match[0] if HARMLESS.fullmatch(match[0]) else substitute, text)
