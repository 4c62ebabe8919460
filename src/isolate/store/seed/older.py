"""The seed for interpreters that isolate's own pip no longer supports: the newest pip that does, downloaded once."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from isolate import fs, process
from isolate.errors import PipFailed
from isolate.pip.command import download_argv
from isolate.pip.settings import pip_environment
from isolate.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.interpreters.interpreter import Interpreter
    from isolate.store.store import Store


def older_seed_wheel(
    store: Store, interpreter: Interpreter, environ: Mapping[str, str], *, offline: bool, replace: bool = False
) -> Path:
    """Return the wheel of the newest pip that supports *interpreter*, downloaded unless the store has it.

    With *replace*, the wheel that the store has is damaged, and the download takes its place. Raises `PipFailed` if it
    cannot be downloaded. With *offline*, the network is not used.
    """
    wheels = store.find(store.paths.older_seeds(interpreter.minor_version)).glob("pip-*.whl")
    newest = max(wheels, key=lambda wheel: parse_wheel_filename(wheel.name)[1], default=None)
    if newest is not None and not replace:
        return newest
    downloaded = _download(store, interpreter, environ, offline=offline)
    if newest is not None and newest != downloaded:
        with contextlib.suppress(OSError):  # of a read-only store
            newest.unlink()
    return downloaded


def _download(store: Store, interpreter: Interpreter, environ: Mapping[str, str], *, offline: bool) -> Path:
    python_version = interpreter.minor_version
    directory = store.paths.older_seeds(python_version)
    with store.scratch() as scratch:
        argv = download_argv(Path(sys.executable), "pip", python_version=python_version, directory=scratch)
        env = {"HOME": str(scratch), **pip_environment(environ, prefix=Path(sys.prefix), offline=offline)}
        finished = process.run(argv, env=env, cwd=scratch)
        wheels = sorted(scratch.glob("pip-*.whl"))
        if finished.status or not wheels:
            remedy = "run without --offline" if offline else "connect to the package index"
            raise PipFailed(
                f"Python {interpreter.version} needs an older pip, and downloading it failed",
                facts=tuple(redact(finished.errors).splitlines()[-3:]),
                hint=f"{remedy} once, or choose a newer Python with --python",
            )
        directory.mkdir(parents=True, exist_ok=True)
        wheels[0].chmod(0o644)
        fs.flush(wheels[0])
        return wheels[0].replace(directory / wheels[0].name)
