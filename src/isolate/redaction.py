"""Remove credentials from texts and URLs, so that they stay in the place where the user put them. Pure."""

from __future__ import annotations

import re

END_OF_AUTHORITY = re.compile(r"[/?#\n]")
"""What ends the part of a URL with user, password and host. Blanks do not: a password may hold any character."""

WORD = re.compile(r"\s*\S*")

HARMLESS = re.compile(r"git@|\$\{[A-Z0-9_]+\}(:\$\{[A-Z0-9_]+\})?@")
"""The user name of public git repositories, and the names of variables that hold the credentials (PEP 610)."""

PORT = re.compile(r"""\d+(?![\w%])|["'),.;:\]]*(\s|$)|\$\{""")
"""What may follow the colon after a host. Anything else is a password, cut off or with a character that ends it."""

WITHOUT_SCHEME = re.compile(r"(?<![\w/@.:%+~-])[\w.%+~-]+:[^\s/@]{1,256}@(?=[\w\[])")
"""Credentials of a proxy that is written without `http://`."""

PARAMETER = re.compile(
    r"([?&;][\w.%-]{0,64}(?:token|secret|passw|pwd|key|signature|sig|auth|credential|session)[\w.%-]{0,64}=)(?!\$\{)[^&;#\s]+",
    re.IGNORECASE,
)
"""A parameter of a query whose name says that it holds a secret."""

NO_PORT = re.compile(r"(integer value as |nonnumeric port: )[^\n]+")
"""How Python complains about a password without a closing `@`, which it takes for a port."""

SUBSTITUTE = "****"


def redact(text: str) -> str:
    """Return *text* with `****@` in place of the user name and password of every URL in it, as pip writes it.

    Parameters of queries that hold a secret become `****`. Names of variables (`${TOKEN}@`) and the user name `git` are
    kept.
    """
    text = _without_authorities(text, f"{SUBSTITUTE}@")
    text = WITHOUT_SCHEME.sub(lambda match: match[0] if _is_harmless(match[0]) else f"{SUBSTITUTE}@", text)
    text = NO_PORT.sub(rf"\1{SUBSTITUTE}", text)
    return PARAMETER.sub(rf"\1{SUBSTITUTE}", text)


def without_credentials(url: str) -> str:
    """Return *url* without user name and password. Names of variables (`${TOKEN}@`) and the user `git` are kept.

    Parameters of queries that hold a secret become `****`.
    """
    return PARAMETER.sub(rf"\1{SUBSTITUTE}", _without_authorities(url, ""))


def _without_authorities(text: str, substitute: str) -> str:
    """Return *text* with *substitute* in place of the credentials of every URL in it."""
    start, *rest = text.split("://")
    return start + "".join(f"://{_without_credentials(part, substitute)}" for part in rest)


def _without_credentials(text: str, substitute: str) -> str:
    """Return *text*, which begins after the `//` of a URL, with *substitute* in place of its credentials."""
    authority = END_OF_AUTHORITY.split(text, maxsplit=1)[0]
    userinfo, at, _ = authority.rpartition("@")
    if at:
        return text if _is_harmless(f"{userinfo}@") else substitute + text[len(userinfo) + 1 :]
    _, colon, port = authority.partition("]:" if authority.startswith("[") else ":")
    if not colon or PORT.match(port):
        return text
    line = text.partition("\n")[0]
    userinfo, at, _ = line.rpartition("@")
    if at:
        return substitute + text[len(userinfo) + 1 :]
    return SUBSTITUTE + WORD.sub("", text, count=1)


def _is_harmless(userinfo: str) -> bool:
    return HARMLESS.fullmatch(userinfo) is not None
