"""Find and read pip's configuration files: https://pip.pypa.io/en/stable/topics/configuration/#location."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.errors import InvalidConfiguration
from isolate.home import home_directory
from isolate.pip.options import canonical_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECTIONS = ("global", "download", "install")
"""The sections that isolate reads, for all commands of pip alike. Each overrides the one before it."""


def config_files(environ: Mapping[str, str], prefix: Path) -> Iterator[Path]:
    """Yield the paths of pip's configuration files in its order: a later file overrides an earlier one.

    The files need not exist. *prefix* is the virtual environment that pip is run from. An existing file that
    `PIP_CONFIG_FILE` names replaces those of the user; if it is the null device, pip reads no file at all.
    """
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    yield from _global_files(environ)
    if not (chosen and os.path.exists(chosen)):
        yield from _user_files(environ)
    yield prefix / "pip.conf"
    if chosen:
        yield Path(chosen)


def _global_files(environ: Mapping[str, str]) -> Iterator[Path]:
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
        return
    for directory in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield Path(directory, "pip", "pip.conf")
    yield Path("/etc/pip.conf")


def _user_files(environ: Mapping[str, str]) -> Iterator[Path]:
    if (home := environ.get("HOME") or home_directory(environ)) is None:
        return
    yield Path(home, ".pip", "pip.conf")
    library = Path(home, "Library", "Application Support", "pip")
    if sys.platform == "darwin":
        yield (library if library.is_dir() else Path(home, ".config", "pip")) / "pip.conf"
    else:
        yield Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "pip", "pip.conf")


def _reason(error: Exception) -> str:
    """Return what is wrong, without the content of a line, which may be a password."""
    import configparser

    if isinstance(error, configparser.MissingSectionHeaderError):
        return f"line {error.lineno} is before the first section"
    if isinstance(error, configparser.ParsingError):
        lines = ", ".join(str(number) for number, _ in error.errors)
        return f"no setting in line {lines}"
    return " ".join(str(error).replace("'<string>'", "it").split())


def read_config(path: Path) -> dict[str, dict[str, str]]:
    """Return the settings in the configuration file *path*, by section and option; empty if there is no such file.

    Raises `InvalidConfiguration` if the file cannot be read or is not a configuration file.
    """
    if not os.path.exists(path):
        return {}
    import configparser

    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        problem = f"{path}: cannot read pip's configuration: {_reason(error)}"
        raise InvalidConfiguration(problem, hint="fix that file") from None


@lru_cache(maxsize=8)  # a sync asks for the settings several times
def _parsed(text: str) -> dict[str, dict[str, str]]:
    import configparser

    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return {
        section: {canonical_option(key): " ".join(value.split()) for key, value in parser.items(section)}
        for section in SECTIONS
        if parser.has_section(section)
    }
