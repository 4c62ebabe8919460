"""Save what was named for one environment in `[tool.isolate]`, where everyone who works on the application sees it."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isolate.bounded_read import read_bounded
from isolate.declarations.edit_settings import as_table, with_settings
from isolate.environment import staging
from isolate.errors import DeclarationError, UsageError
from isolate.named import Named
from isolate.resolution.remembered import read_followed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.request import Request
    from isolate.session import Session

    Values = dict[str, str | list[str]]


class _Original(NamedTuple):
    """A file as it was: its content, None if it did not exist, and its permissions."""

    content: bytes | None
    mode: int


@contextlib.contextmanager
def saving(application: Application, request: Request, session: Session) -> Iterator[Request]:
    """Write what *request* names, or an earlier sync named, into `pyproject.toml`, and yield the request that is left.

    If the block fails, the file is as it was. Raises `UsageError` if there is nothing to write, `DeclarationError` if
    `[tool.isolate]` is written in a form that cannot be changed.
    """
    followed, declarations = read_followed(application, request)
    values, path = _values(followed.named, declarations), application.root / "pyproject.toml"
    if not values:
        raise UsageError("nothing was named that can be saved", hint="name files with -r or -c, or a Python")
    original = _original(path, values)
    content = _edited(path, original.content or b"", values)
    staging.write_file(application, path, content, session.progress.say, mode=original.mode)
    left = Named(project=followed.named.project)
    try:
        yield request._replace(named=left, asked=left, forget=True, save=False)
    except BaseException:
        if _original(path, values).content == content:
            _restore(application, path, original, session)
        raise
    session.progress.say(f"saved in [tool.isolate] of pyproject.toml: {', '.join(values)}")


def _values(named: Named, declarations: Declarations) -> Values:
    root = declarations.root
    constraints = [
        *declarations.settings.constraints,
        *(os.path.relpath(root / path, root) for path in named.constraints),
    ]
    values: Values = {
        "requirements": [os.path.relpath(root / path, root) for path in named.requirements],
        "constraints": list(dict.fromkeys(constraints)) if named.constraints else [],
        "python": named.python or "",
    }
    return {key: value for key, value in values.items() if value}


def _original(path: Path, values: Values) -> _Original:
    if path.is_symlink():
        hint = f"write this into {os.path.realpath(path)}"
        raise DeclarationError("is a symbolic link and stays as it is", facts=as_table(values), hint=hint, file=path)
    try:
        return _Original(read_bounded(path), stat.S_IMODE(path.stat().st_mode))
    except FileNotFoundError:
        return _Original(None, 0o644)


def _edited(path: Path, content: bytes, values: Values) -> bytes:
    try:
        return with_settings(content.decode(), values).encode()
    except ValueError as error:
        problem = f"tool.isolate cannot be changed here: {error}"
        raise DeclarationError(problem, facts=as_table(values), hint="write these keys yourself", file=path) from None


def _restore(application: Application, path: Path, original: _Original, session: Session) -> None:
    if original.content is None:
        path.unlink()
    else:
        staging.write_file(application, path, original.content, session.progress.say, mode=original.mode)
