"""The pip for interpreters that isolate's own pip does not support any more: the newest that does, fetched once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from isolate import process
from isolate.errors import IsolateError
from isolate.pip.command import download_argv
from isolate.pip.redaction import redact
from isolate.pip.settings import pip_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.interpreters.interpreter import Interpreter
    from isolate.store.layout import Store


def older_wheel(store: Store, interpreter: Interpreter, environ: Mapping[str, str], *, offline: bool) -> Path:
    """Return the wheel of the newest pip that supports *interpreter*; raise `IsolateError` if none is to be had.

    *offline* leaves the network alone.
    """
    have = list(store.seeds.glob(f"for-{interpreter.short}/pip-*.whl"))
    newest = max(have, key=lambda wheel: parse_wheel_filename(wheel.name)[1], default=None)
    return newest or _fetch(store, interpreter, environ, offline=offline)


def _fetch(store: Store, interpreter: Interpreter, environ: Mapping[str, str], *, offline: bool) -> Path:
    folder = store.seeds / f"for-{interpreter.short}"
    with store.scratch() as scratch:
        argv = download_argv(Path(sys.executable), "pip", python_version=interpreter.short, folder=scratch)
        env = pip_environment(environ, prefix=Path(sys.prefix), offline=offline)
        finished = process.run(argv, env=env, cwd=scratch)
        found = sorted(scratch.glob("pip-*.whl"))
        if finished.status or not found:
            first = "run without --offline" if offline else "connect to the package index"
            raise IsolateError(
                f"Python {interpreter.version} needs an older pip than ours, which could not be fetched",
                facts=tuple(redact(finished.errors).splitlines()[-3:]),
                hint=f"{first} once, or choose a newer Python with --python",
            )
        folder.mkdir(parents=True, exist_ok=True)
        found[0].replace(folder / found[0].name)
    return folder / found[0].name
