"""Which of the user's settings reach pip.

What says where distributions come from does: indexes, proxies, certificates, time-outs, the keyring, and which formats
are allowed. What would put files elsewhere, or change what "install" means, does not: neither from the environment nor
from a configuration file. So pip is given the allowed settings as variables, and is told to read no file
(https://pip.pypa.io/en/stable/topics/configuration/: with `PIP_CONFIG_FILE` set to the null device it reads none).
"""

from __future__ import annotations

import configparser
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.errors import IsolateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ALLOWED = frozenset(
    {
        "all-releases",
        "build-constraint",
        "cache-dir",
        "cert",
        "client-cert",
        "config-settings",
        "default-timeout",
        "extra-index-url",
        "find-links",
        "index-url",
        "keyring-provider",
        "no-binary",
        "no-build-isolation",
        "no-cache-dir",
        "no-index",
        "only-binary",
        "only-final",
        "pre",
        "prefer-binary",
        "proxy",
        "resume-retries",
        "retries",
        "timeout",
        "trusted-host",
        "uploaded-prior-to",
        "use-deprecated",
        "use-feature",
    }
)
"""Options of `pip install` that say where distributions come from and which may be taken."""

OURS = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_COLOR": "1",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_ROOT_USER_ACTION": "ignore",
}
SECTIONS = ("global", "download", "install")
"""Sections of a configuration file, each overriding the one before; `download` stands in for what only it may say."""

DROPPED = ("PIP_", "PYTHON", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "CONDA_", "SETUPTOOLS_", "DISTUTILS_")
"""Beginnings of the names of variables that would lead pip, or the Python that runs it, somewhere else."""


def pip_environment(environ: Mapping[str, str], *, prefix: Path, offline: bool = False) -> dict[str, str]:
    """Return the whole environment for a pip that is run from the virtual environment *prefix*.

    *offline* leaves it no index, and no links but local ones. Raises `IsolateError` for a configuration file that
    cannot be read.
    """
    settings: dict[str, str] = {}
    for path in config_files(environ, prefix):
        settings |= read_config(path)
    for name, value in environ.items():
        key = name[4:].lower().replace("_", "-")
        if name.startswith("PIP_") and key in ALLOWED:
            settings[key] = value
    if offline:
        settings = _offline(settings)
    kept = {name: value for name, value in environ.items() if not name.startswith(DROPPED)}
    passed = {f"PIP_{key.upper().replace('-', '_')}": value for key, value in settings.items()}
    return {**kept, **passed, **OURS}


def _offline(settings: Mapping[str, str]) -> dict[str, str]:
    local = [link for link in settings.get("find-links", "").split() if "://" not in link or link.startswith("file:")]
    kept = {key: value for key, value in settings.items() if key not in ("index-url", "extra-index-url", "find-links")}
    return {**kept, "no-index": "1", **({"find-links": " ".join(local)} if local else {})}


def config_files(environ: Mapping[str, str], prefix: Path) -> Iterator[Path]:
    """Yield pip's configuration files, there or not, in its order: the later override the earlier.

    https://pip.pypa.io/en/stable/topics/configuration/#location
    """
    if (chosen := environ.get("PIP_CONFIG_FILE")) == os.devnull:
        return
    for folder in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    if home := environ.get("HOME"):
        yield Path(home, ".pip", "pip.conf")
        if sys.platform == "darwin":
            yield Path(home, "Library", "Application Support", "pip", "pip.conf")
        yield Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "pip", "pip.conf")
    yield prefix / "pip.conf"
    if chosen:
        yield Path(chosen)


def read_config(path: Path) -> dict[str, str]:
    """Return the allowed settings in the configuration file *path*, by option name; none if there is no such file."""
    parser = configparser.RawConfigParser()
    try:
        text = path.read_text(encoding="utf-8")
        parser.read_string(text)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        reason = str(error).replace("\n", " ")
        raise IsolateError(f"{path}: pip's configuration cannot be read: {reason}", hint="mend that file") from None
    settings: dict[str, str] = {}
    for section in SECTIONS:
        if parser.has_section(section):
            settings |= {key.replace("_", "-"): value for key, value in parser.items(section)}
    return {key: " ".join(value.split()) for key, value in settings.items() if key in ALLOWED}
