"""Remove credentials from texts and URLs, so that they stay in the place where the user put them. Pure.

`re` compiles each pattern at its first use: most syncs print no URL, and compiling all of them takes a millisecond.
"""

from __future__ import annotations

import re

END_OF_AUTHORITY = r"[/?#\n]"
"""What ends the part of a URL with user, password and host. Blanks do not: a password may hold any character."""

WORD = r"\s*\S*"

HARMLESS = r"git@|\$\{[A-Z0-9_]+\}(:\$\{[A-Z0-9_]+\})?@"
"""The user name of public git repositories, and the names of variables that hold the credentials (PEP 610)."""

PORT = r"""\d+(?![\w%])|["'),.;:\]]*(\s|$)|\$\{"""
"""What may follow the colon after a host. Anything else is a password, cut off or with a character that ends it."""

WITHOUT_SCHEME = r"(?<![\w/@.:%+~-])[\w.%+~-]+:[^\s/@]{1,256}@(?=[\w\[])"
"""Credentials of a proxy that is written without `http://`."""

PARAMETER = (
    r"(?i)([?&;][\w.%-]{0,64}(?:token|secret|passw|pwd|key|signature|sig|auth|credential|session)[\w.%-]{0,64}=)"
    r"(?!\$\{)[^&;#\s]+"
)
"""A parameter of a query whose name says that it holds a secret."""

NO_PORT = r"(integer value as |nonnumeric port: )[^\n]+"
"""How Python complains about a password without a closing `@`, which it takes for a port."""

SUBSTITUTE = "****"


def redact(text: str) -> str:
    """Return *text* with `****@` in place of the user name and password of every URL in it, as pip writes it.

    Parameters of queries that hold a secret become `****`. Names of variables (`${TOKEN}@`) and the user name `git` are
    kept.
    """
    text = _without_authorities(text, f"{SUBSTITUTE}@")
    if "@" in text:
        text = re.sub(WITHOUT_SCHEME, lambda match: match[0] if _is_harmless(match[0]) else f"{SUBSTITUTE}@", text)
    if "integer" in text or "nonnumeric" in text:
        text = re.sub(NO_PORT, rf"\1{SUBSTITUTE}", text)
    return _without_parameters(text)


def without_credentials(url: str) -> str:
    """Return *url* without user name and password. Names of variables (`${TOKEN}@`) and the user `git` are kept.

    Parameters of queries that hold a secret become `****`.
    """
    return _without_parameters(_without_authorities(url, ""))


def _without_parameters(text: str) -> str:
    return re.sub(PARAMETER, rf"\1{SUBSTITUTE}", text) if "=" in text else text


def _without_authorities(text: str, substitute: str) -> str:
    """Return *text* with *substitute* in place of the credentials of every URL in it."""
    start, *rest = text.split("://")
    return start + "".join(f"://{_without_credentials(part, substitute)}" for part in rest)


def _without_credentials(text: str, substitute: str) -> str:
    """Return *text*, which begins after the `//` of a URL, with *substitute* in place of its credentials."""
    authority = re.split(END_OF_AUTHORITY, text, maxsplit=1)[0]
    userinfo, at, _ = authority.rpartition("@")
    if at:
        return text if _is_harmless(f"{userinfo}@") else substitute + text[len(userinfo) + 1 :]
    _, colon, port = authority.partition("]:" if authority.startswith("[") else ":")
    if not colon or re.match(PORT, port):
        return text
    line = text.partition("\n")[0]
    userinfo, at, _ = line.rpartition("@")
    if at:
        return substitute + text[len(userinfo) + 1 :]
    return SUBSTITUTE + re.sub(WORD, "", text, count=1)


def _is_harmless(userinfo: str) -> bool:
    return re.fullmatch(HARMLESS, userinfo) is not None
