"""Credentials do not leave the place where the user put them. Pure."""

from __future__ import annotations

import re

CREDENTIALS = re.compile(r"(?<=://)[^/?#\s\"<>]*@")
"""What stands between `//` and the last `@` before the path of an address."""

HARMLESS = re.compile(r"git@|\$\{[A-Z0-9_]+\}(:\$\{[A-Z0-9_]+\})?@")
"""The user of public repositories, and names of variables that hold the real ones (the direct URL specification)."""


def redact(text: str) -> str:
    """Return *text* with `****@` in place of the user name and password of every address in it, as pip writes it.

    Names of variables (`${TOKEN}@`), and the user `git`, stay.
    """
    return _replaced(text, "****@")


def without_credentials(url: str) -> str:
    """Return *url* without user name and password. Names of variables (`${TOKEN}@`), and the user `git`, stay."""
    return _replaced(url, "")


def _replaced(text: str, substitute: str) -> str:
    return CREDENTIALS.sub(lambda found: found[0] if HARMLESS.fullmatch(found[0]) else substitute, text)
