"""An environment that holds a pip and nothing else, to fill the store with.

Code in an application's environment changes the pip there: a `.pth` file or `sitecustomize` runs whenever Python
starts, also for the builds that pip starts, which `-I` does not reach. Other applications get what the store holds. So
the pip that fills it runs where no distribution was ever installed.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.environment.build_context import LinkOptions
from isolate.environment.store_linker import StoreLinker
from isolate.environment.template import create_from_template

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from isolate.environment.build_context import BuildContext
    from isolate.plan import Target

NAME_IN_SCRIPTS = Path("/environment")
"""Stands for the path of the environment in its scripts, which nothing runs."""


class BareEnvironment:
    """The template and a pip, in a scratch directory of the store; a context manager that deletes it.

    Each command creates one, by the application's interpreter: what a build writes into it, such as a
    package that `setup.py` installs, is gone before the next one.
    """

    def __init__(self, context: BuildContext, pip: Callable[[], Target], *, verify_hashes: bool) -> None:
        """Create nothing yet; *pip* returns the pip that it gets, which the store has.

        With *verify_hashes*, its files are hashed before they are linked.
        """
        self._context = context
        self._pip = pip
        self._verify_hashes = verify_hashes
        self._scratch = contextlib.ExitStack()
        self._venv: Path | None = None

    def __enter__(self) -> BareEnvironment:  # noqa: PYI034 - typing.Self needs Python 3.11
        """Return self."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the environment if it was created."""
        self._scratch.close()

    def ensure(self) -> Path:
        """Return the path of the environment; create it unless that was done.

        Raises `DamagedEntry` if its pip in the store is damaged.
        """
        if self._venv is None:
            from isolate.store.bytecode import reuse_own_bytecode

            interpreter, store, pip = self._context.interpreter, self._context.store, self._pip()
            venv = self._scratch.enter_context(store.scratch()) / "venv"
            create_from_template(venv, NAME_IN_SCRIPTS, interpreter, store)
            options = LinkOptions(verify_hashes=self._verify_hashes)
            linker = StoreLinker(store=store, python=str(venv / "bin/python"), options=options)
            linker.link([pip], venv)
            reuse_own_bytecode(store, pip.key, interpreter)
            linker.link_compiled(pip.key, venv)  # pip starts faster with it
            self._venv = venv
        return self._venv
