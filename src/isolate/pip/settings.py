"""Which of the user's settings reach pip.

What says where distributions come from does: indexes, proxies, certificates, time-outs, the keyring, and which formats
and releases are allowed. What would put files elsewhere, or change what "install" means, does not: neither from the
environment nor from a configuration file. So pip is given the allowed settings as variables, and is told to read no
file (https://pip.pypa.io/en/stable/topics/configuration/: with `PIP_CONFIG_FILE` set to the null device it reads none).
"""

from __future__ import annotations

import configparser
import hashlib
import os
import pwd
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.errors import IsolateError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

SOURCES = frozenset(
    {
        "cache-dir",
        "cert",
        "client-cert",
        "extra-index-url",
        "find-links",
        "index-url",
        "keyring-provider",
        "no-cache-dir",
        "no-index",
        "no-proxy-env",
        "proxy",
        "resume-retries",
        "retries",
        "timeout",
        "trusted-host",
    }
)
"""Options of pip that say where distributions come from, and how to get there."""

SELECTION = frozenset(
    {"all-releases", "no-binary", "only-binary", "only-final", "pre", "prefer-binary", "uploaded-prior-to"}
)
"""Options of pip that say which of the distributions there may be taken."""

BUILDING = frozenset({"build-constraint", "config-settings", "no-build-isolation", "use-deprecated", "use-feature"})
"""Options of pip that say how a source distribution becomes one that can be installed."""

ALLOWED = SOURCES | SELECTION | BUILDING
"""Whatever is not here stays out: a new option of pip is taken for one that changes what "install" means."""

BLOCKED_OPTIONS = frozenset(
    """
    abi break-system-packages build build-dir build-directory check-build-dependencies compile constraint debug
    default-timeout dest destination-dir destination-directory disable-pip-version-check dry-run editable egg
    exists-action force-reinstall global-option group help ignore-installed ignore-requires-python implementation
    install-option isolated local-log log log-file no-clean no-color no-compile no-dependencies no-deps no-input
    no-python-version-warning no-require-hashes no-use-pep517 no-user no-warn-conflicts no-warn-script-location
    only-dependencies only-deps platform prefix process-dependency-links progress-bar pypi-url python python-version
    quiet refresh-package report require-hashes require-venv require-virtualenv requirement requirements-from-script
    root root-user-action source source-dir source-directory src target upgrade upgrade-strategy use-pep517 user
    verbose version
    build-tracker config-file req-tracker
    """.split()  # noqa: SIM905 - a list of them has seventy lines
)
"""The other options of pip, and what it leaves in its environment for pips that it starts."""

MAY_BE_PATHS = frozenset(
    {"build-constraint", "cache-dir", "cert", "client-cert", "extra-index-url", "find-links", "index-url"}
)

FORCED_SETTINGS = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_COLOR": "1",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_ROOT_USER_ACTION": "ignore",
}
SECTIONS = ("global", "download", "install")
"""Sections of a configuration file, each overriding the one before; `download` stands in for what only it may say."""

REMOVED_PREFIXES = ("PIP_", "PYTHON", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "CONDA_")
"""Beginnings of the names of variables that would lead pip, or the Python that runs it, somewhere else."""

PASSED_VARIABLES = frozenset({"PYTHONUTF8", "PYTHONIOENCODING"})
"""Variables of Python that only say how text is written."""

USER_VARIABLE = re.compile(r"PIP_(?P<option>.+)|PYTHON_.+|CONDA_(?!PREFIX).+")
"""Names of variables that may be the user's own: those by which Python is led elsewhere have no `_` behind `PYTHON`."""


def pip_environment(
    environ: Mapping[str, str], *, prefix: Path, offline: bool = False, named: Collection[str] = ()
) -> dict[str, str]:
    """Return the whole environment for a pip that is run from the virtual environment *prefix*.

    A relative path in a setting is meant from the current directory, whichever directory pip is run in. *offline*
    leaves pip no index, and no links but local ones. *named* are variables that declarations name
    (`${PIP_TOKEN}`): they stay unless they are settings of pip or Python. Raises `IsolateError` for a configuration
    file that cannot be read.
    """
    settings = {key: _settled(key, value) for key, value in _settings(environ, prefix).items()}
    if offline:
        settings = _offline(settings)
    kept = {
        name: value
        for name, value in environ.items()
        if name in PASSED_VARIABLES or not name.startswith(REMOVED_PREFIXES) or (name in named and _is_the_users(name))
    }
    passed = {f"PIP_{key.upper().replace('-', '_')}": value for key, value in settings.items()}
    return {**kept, **passed, **FORCED_SETTINGS}


def _is_the_users(name: str) -> bool:
    meant = USER_VARIABLE.fullmatch(name)
    return meant is not None and _option(meant["option"] or "") not in ALLOWED | BLOCKED_OPTIONS


def settings_digest(environ: Mapping[str, str], prefix: Path) -> str:
    """Return a digest (hex) of the settings that reach a pip run from *prefix*: where it looks, and for what."""
    settings = sorted(_settings(environ, prefix).items())
    return hashlib.sha256(repr(settings).encode()).hexdigest()


def _settings(environ: Mapping[str, str], prefix: Path) -> dict[str, str]:
    """Return the settings that hold, by option: those of a section override another's, variables override both."""
    sections: dict[str, dict[str, str]] = {section: {} for section in (*SECTIONS, "environment")}
    for path in config_files(environ, prefix):
        for section, settings in read_config(path).items():
            sections[section] |= settings
    for name, value in environ.items():
        if name.startswith("PIP_"):
            sections["environment"][_option(name[4:])] = value
    found: dict[str, str] = {}
    for settings in sections.values():  # an empty value is none to pip: what it would override holds
        found |= {key: value for key, value in settings.items() if key in ALLOWED and value}
    return found


def _option(name: str) -> str:
    """Return the one name of an option that a file or a variable calls *name*."""
    option = name.lower().replace("_", "-").removeprefix("--")
    return {"default-timeout": "timeout"}.get(option, option)


def _settled(key: str, value: str) -> str:
    if key not in MAY_BE_PATHS:
        return value
    return " ".join(os.path.abspath(word) if os.path.exists(word) else word for word in value.split(" "))


def _offline(settings: Mapping[str, str]) -> dict[str, str]:
    local = [link for link in settings.get("find-links", "").split() if "://" not in link or link.startswith("file:")]
    kept = {key: value for key, value in settings.items() if key not in ("index-url", "extra-index-url", "find-links")}
    return {**kept, "no-index": "1", **({"find-links": " ".join(local)} if local else {})}


def config_files(environ: Mapping[str, str], prefix: Path) -> Iterator[Path]:
    """Yield pip's configuration files, there or not, in its order: the later override the earlier.

    https://pip.pypa.io/en/stable/topics/configuration/#location; those of the user do not count where `PIP_CONFIG_FILE`
    names a file, and none counts where that is the null device.
    """
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    yield from _of_the_machine(environ)
    if not (chosen and os.path.exists(chosen)):
        yield from _of_the_user(environ)
    yield prefix / "pip.conf"
    if chosen:
        yield Path(chosen)


def _of_the_machine(environ: Mapping[str, str]) -> Iterator[Path]:
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
        return
    for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")


def _of_the_user(environ: Mapping[str, str]) -> Iterator[Path]:
    if (home := environ.get("HOME") or _home_of_the_user()) is None:
        return
    yield Path(home, ".pip", "pip.conf")
    library = Path(home, "Library", "Application Support", "pip")
    if sys.platform == "darwin":
        yield (library if library.is_dir() else Path(home, ".config", "pip")) / "pip.conf"
    else:
        yield Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "pip", "pip.conf")


def _home_of_the_user() -> str | None:
    """Return the home directory that the system knows: pip looks there too."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return None


def read_config(path: Path) -> dict[str, dict[str, str]]:
    """Return what the configuration file *path* sets, by section and option; nothing if there is no such file.

    Raises `IsolateError` for one that cannot be read, or is none.
    """
    parser = configparser.RawConfigParser()
    if not os.path.exists(path):
        return {}
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        reason = " ".join(str(error).replace("'<string>'", "it").split())
        raise IsolateError(f"{path}: pip's configuration cannot be read: {reason}", hint="mend that file") from None
    return {
        section: {_option(key): " ".join(value.split()) for key, value in parser.items(section)}
        for section in SECTIONS
        if parser.has_section(section)
    }
