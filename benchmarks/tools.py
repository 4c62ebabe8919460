"""The tools that are timed: how each of them is told what an application wants, and the commands that it is given."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from child import Taken, watch

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = os.path.realpath(sys._base_executable)
LEFT_OUT = ("ISOLATE_", "PIP_", "PYTHON", "UV_", "VIRTUAL_ENV")


class Tool:
    """A tool at work in a directory of its own, with a cache of its own and no settings of this machine's user."""

    name = ""
    lock_name = ""
    compile_option = ""

    def __init__(self, home: Path, binaries: Path, index: str | None = None) -> None:
        self.home, self.bin = home, binaries
        self.cache, self.kept, self.trash = home / "cache", home / "kept", home / "trash"
        for folder in (self.cache, self.kept, self.trash):
            folder.mkdir(parents=True)
        self.environ = {key: value for key, value in os.environ.items() if not key.startswith(LEFT_OUT)}
        self.environ |= {"ISOLATE_CACHE_DIR": str(self.cache), "UV_CACHE_DIR": str(self.cache)}
        self.environ |= {"PIP_CACHE_DIR": f"{self.cache}/pip", "PIP_TOOLS_CACHE_DIR": f"{self.cache}/pip-tools"}
        # uv does not read pip's configuration, so that an index it names would be used by the others alone.
        self.environ["PIP_CONFIG_FILE"] = os.devnull
        self.environ["PATH"] = os.pathsep.join([str(Path(PYTHON).parent), *os.environ["PATH"].split(os.pathsep)])
        if index:
            self.environ |= {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index}
        self._number = itertools.count()

    def run(self, command: str, folder: str = "app", *, no_is_fine: bool = False, count: bool = False) -> Taken:
        """Run *command* by a shell in *folder* and return what it took; raise `RuntimeError` if it fails."""
        shell = ["sh", "-c", command if "&&" in command or ";" in command else f"exec {command}"]
        taken = watch(shell, self.home / folder, self.environ, count_descriptors=count)
        if taken.code > int(no_is_fine) or taken.code < 0:
            raise RuntimeError(f"{self.name}: {command}\n{taken.errors}")
        return taken

    def describe(self, lines: Sequence[str], folder: str = "app") -> None:
        """Write the declaration of an application that wants *lines*; whatever lock there is stays."""
        (self.home / folder).mkdir(parents=True, exist_ok=True)
        wanted = "".join(f'    "{line}",\n' for line in lines)
        project = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11,<3.15"\n'
        (self.home / folder / "pyproject.toml").write_text(f"{project}dependencies = [\n{wanted}]\n")

    def declare(self, lines: Sequence[str], folder: str = "app") -> None:
        """Write the declaration and the tool's lock for it, which is decided once and kept."""
        self.describe(lines, folder)
        lock = self.home / folder / self.lock_name
        kept = self.kept / hashlib.sha256("\n".join(lines).encode()).hexdigest()
        if not kept.exists():
            lock.unlink(missing_ok=True)
            self.run(self.lock, folder)
            shutil.copy(lock, kept)
        shutil.copy(kept, lock)

    def discard(self, *paths: Path) -> None:
        """Rename *paths* into the trash, so that nothing is deleted while something is measured."""
        for path in paths:
            if path.is_symlink() or path.exists():
                path.rename(self.trash / str(next(self._number)))

    def clear(self, folder: str = "app", *, cache: bool = False) -> None:
        """Take away the environments in *folder* and its subfolders, and what the tool has cached too."""
        self.discard(self.home / folder / ".venv", *(self.home / folder).glob("apps/*/.venv"))
        if cache:
            self.discard(self.cache)
            self.cache.mkdir()

    def empty_trash(self) -> None:
        """Delete what was discarded, folders that may not be written to as well."""
        delete(self.trash)
        self.trash.mkdir()

    @property
    def sync(self) -> str:
        """Return the command that makes the environment what the lock says."""
        raise NotImplementedError

    @property
    def lock(self) -> str:
        """Return the command that decides the lock."""
        raise NotImplementedError

    @property
    def sync_pins(self) -> str:
        """Return the command that makes an environment from a requirements file without a lock."""
        return self.sync

    @property
    def sync_all(self) -> str:
        """Return the command that syncs every application in `apps`."""
        return f'for d in apps/*; do (cd "$d" && {self.sync}) || exit 1; done'


class Isolate(Tool):
    """isolate, by its commands."""

    name = "isolate"
    lock_name = "pylock.toml"
    compile_option = "--compile"

    @property
    def sync(self) -> str:
        return f"{self.bin}/isolate sync -q"

    @property
    def lock(self) -> str:
        return f"{self.bin}/isolate lock -q"

    @property
    def sync_all(self) -> str:
        return f"{self.bin}/isolate sync --all -q"


class Uv(Tool):
    """uv, by its project commands; `uv pip` is always told which environment is meant."""

    name = "uv"
    lock_name = "uv.lock"
    compile_option = "--compile-bytecode"

    @property
    def sync(self) -> str:
        return f"{self.bin}/uv sync -q --python {PYTHON}"

    @property
    def lock(self) -> str:
        return f"{self.bin}/uv lock -q --python {PYTHON}"

    @property
    def sync_pins(self) -> str:
        uv = f"{self.bin}/uv"
        return f"{uv} venv -q --python {PYTHON} .venv && {uv} pip sync -q --python .venv/bin/python requirements.txt"


class PipTools(Tool):
    """pip-tools: pip-compile, and pip-sync into an environment that `python -m venv` made."""

    name = "pip-tools"
    lock_name = "requirements.txt"

    def describe(self, lines: Sequence[str], folder: str = "app") -> None:
        """Write `requirements.in`."""
        (self.home / folder).mkdir(parents=True, exist_ok=True)
        (self.home / folder / "requirements.in").write_text("".join(f"{line}\n" for line in lines))

    @property
    def sync(self) -> str:
        made = f"test -x .venv/bin/python || {PYTHON} -m venv .venv"
        return f"({made}) && {self.bin}/pip-sync -q --python-executable .venv/bin/python requirements.txt"

    @property
    def lock(self) -> str:
        return f"{self.bin}/pip-compile -q --strip-extras requirements.in --output-file requirements.txt"


def tools(home: Path, binaries: Path, index: str | None = None) -> dict[str, Tool]:
    """Return one of each tool, each in a directory of its own under *home*."""
    return {kind.name: kind(home / kind.name, binaries, index) for kind in (Isolate, Uv, PipTools)}


def delete(folder: Path) -> None:
    """Delete *folder*, if it is there, and everything in it."""
    if folder.exists():
        subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
        shutil.rmtree(folder)
