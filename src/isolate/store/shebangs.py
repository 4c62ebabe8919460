"""The first lines of scripts, which name an interpreter: taken off for the store, put on for an environment. Pure."""

from __future__ import annotations


def without_interpreter(content: bytes, python: str) -> bytes | None:
    """Return a script without the first lines that name *python*, or None if it does not begin with them."""
    for header in (f"#!{python}\n".encode(), _wrapped(python)):
        if content.startswith(header):
            return content[len(header) :]
    return None


def with_interpreter(body: bytes, python: str) -> bytes:
    """Return the script *body* with first lines that run it by *python*.

    Where the kernel cannot read the path from a `#!` line (blanks in it, or too long), a shell looks for the
    interpreter beside the script.
    """
    line = f"#!{python}\n".encode()
    simple = not any(blank in python for blank in " \t\n\r") and len(line) <= SHEBANG_LIMIT
    return (line if simple else BESIDE) + body


SHEBANG_LIMIT = 127
"""Bytes of a `#!` line that every supported kernel reads, end of line included."""


BESIDE = b"""\
#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/python" "$0" "$@"
' '''
"""
"""First lines that a shell takes for a command and Python for a text, so that no path has to be quoted for both."""


def _wrapped(python: str) -> bytes:
    return f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n".encode()
