"""The first lines of scripts, which name an interpreter: stripped in the store, added for an environment. Pure."""

from __future__ import annotations


def strip_shebang(content: bytes, python: str) -> bytes | None:
    """Return a script without the first lines that name *python*; None if it does not begin with them."""
    for header in (f"#!{python}\n".encode(), _shell_header(python), _shell_header(f'"{python}"')):
        if content.startswith(header):
            return content[len(header) :]
    return None


def add_shebang(body: bytes, python: str) -> bytes:
    """Return the script *body* with first lines that run it with *python*.

    If the kernel cannot read that path from a `#!` line (it is too long or contains blanks), the lines are a shell
    command that runs the `python` beside the script.
    """
    line = f"#!{python}\n".encode()
    is_simple = not any(blank in python for blank in " \t\n\r") and len(line) <= SHEBANG_LIMIT
    return (line if is_simple else SIBLING_HEADER) + body


SHEBANG_LIMIT = 127
"""Length in bytes of a `#!` line, including its end, that every supported kernel reads."""


SIBLING_HEADER = b"""\
#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/python" "$0" "$@"
' '''
"""
"""First lines that are a command to a shell and a string to Python. They name no path, which both would have to quote
differently."""


def _shell_header(executable: str) -> bytes:
    """Return the first lines that pip writes if *executable* does not fit into a `#!` line.

    pip quotes it if it contains a blank, and only then: `enquote_executable` of its vendored distlib.
    """
    return f"#!/bin/sh\n'''exec' {executable} \"$0\" \"$@\"\n' '''\n".encode()
