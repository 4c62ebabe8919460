"""Where interpreters are on this machine. `python-discovery` does most of the search."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isolate.errors import NoInterpreter
from isolate.home import home_directory
from isolate.interpreters.answers import Answers
from isolate.interpreters.interpreter import Interpreter
from isolate.interpreters.query import describe, interpreter_from, output_discarded, without_interpreter_variables
from isolate.interpreters.search_path import search_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

VERSION_MANAGERS = (
    ("PYENV_ROOT", ".pyenv", "versions"),
    ("MISE_DATA_DIR", ".local/share/mise", "installs/python"),
    ("ASDF_DATA_DIR", ".asdf", "installs/python"),
)
"""Version managers: the variable with the root directory of each, its default below the home directory, and the
directory of the installed versions below it.

What they put on `PATH` are scripts (shims) that run the version which is active; most shims fail."""

UV_VARIABLES = ("UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME")
"""Variables that say where uv has installed interpreters."""


class InterpreterFinder(NamedTuple):
    """Finds the interpreters of this machine.

    Facts about them are kept in the directory `cache`, if there is one. `environ` is the environment to search with.
    `repository` is set for a command that only looks: it runs no program in that directory, and none that only the
    repository names. `run` names the run of the command, whose processes share what they find out.
    """

    cache: Path | None
    environ: Mapping[str, str]
    repository: Path | None = None
    run: str = ""

    def describe(self, executable: str) -> Interpreter:
        """Return the facts about the interpreter at the absolute path *executable*, which a search has found.

        Raises the errors of `query.describe`.
        """
        may_run = not self.is_in_repository(executable)
        return describe(executable, cache=self.cache, environ=self.environ, may_run=may_run, run=self.run)

    def describe_named(self, executable: str) -> Interpreter:
        """Return the same for an *executable* that a file of the repository names, wherever it is."""
        directory = os.path.dirname(executable)
        may_run = self.repository is None or (
            not self.is_in_repository(executable)
            and (directory in self._path() or any(str(path.parent) == directory for path in self._managed()))
        )
        return describe(executable, cache=self.cache, environ=self.environ, may_run=may_run, run=self.run)

    def _managed(self) -> Iterator[Path]:
        return version_manager_pythons(self.environ)

    def is_in_repository(self, path: str) -> bool:
        """Return whether the file *path*, its directory, or the target of either is in the repository."""
        if self.repository is None:
            return False
        top = os.path.join(os.path.realpath(self.repository), "")
        inner = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        return any(name.startswith(top) for name in (os.path.abspath(path), inner, os.path.realpath(path)))

    def on_path(self, *names: str) -> Iterator[Interpreter]:
        """Yield the interpreters that the commands *names* run, in the order of `PATH`, without those that fail."""
        directories = [directory for directory in self._path() if directory]
        return self._usable(os.path.join(directory, name) for name in names for directory in directories)

    def discover_all(self) -> list[Interpreter]:
        """Return all interpreters of this machine, each once, in no useful order."""
        path = os.pathsep.join(
            directory
            for directory in self._path()
            if Path(directory).name != "shims" and not self.is_in_repository(os.path.join(directory, "python3"))
        )
        environ = {
            name: value
            for name, value in self.environ.items()
            if name not in UV_VARIABLES or not self.is_in_repository(os.path.join(value, "python"))
        }
        places = without_interpreter_variables({**environ, "PATH": path})
        question = ["all", path, *(places.get(name, "") for name in UV_VARIABLES)]
        answer = Answers(self.cache, self.run).ask(question, lambda: [found.to_dict() for found in _all_in(places)])
        interpreters = [*map(Interpreter.from_dict, answer)]
        interpreters += self._usable(map(str, version_manager_pythons(self.environ)))
        return list({interpreter.fingerprint: interpreter for interpreter in reversed(interpreters)}.values())

    def _path(self) -> list[str]:
        return search_path(self.environ)

    def _usable(self, paths: Iterable[str]) -> Iterator[Interpreter]:
        for path in map(os.path.abspath, paths):
            if os.path.isfile(path) and os.access(path, os.X_OK):
                with contextlib.suppress(NoInterpreter):
                    yield self.describe(path)


def _all_in(places: Mapping[str, str]) -> list[Interpreter]:
    """Return the interpreters that `python-discovery` finds with the environment *places*."""
    from python_discovery import iter_interpreters

    with output_discarded():
        return [interpreter_from(info) for info in iter_interpreters(env=places)]


def version_manager_pythons(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the interpreters that version managers have installed, active or not."""
    home = home_directory(environ)
    for variable, default, versions in VERSION_MANAGERS:
        with contextlib.suppress(OSError):  # another user's, as `PYENV_ROOT` is after `su` and `sudo -E`
            if root := environ.get(variable) or (home and os.path.join(home, default)):
                prefixes = sorted(Path(root, versions).glob("*"))
                yield from filter(None, map(python_in, prefixes))


def python_in(prefix: str | Path) -> Path | None:
    """Return the interpreter in *prefix* (an installation or an environment); None if there is none."""
    # Debian has no `python` unless a package for it is installed, and elsewhere `python` may be Python 2.
    paths = (Path(prefix, "bin", name) for name in ("python3", "python"))
    return next((path for path in paths if os.path.isfile(path)), None)
