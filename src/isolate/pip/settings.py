"""Decide which of the user's settings reach pip.

Settings that say where distributions come from reach it: indexes, proxies, certificates, time-outs, the keyring, and
which formats and releases are allowed. Settings that put files elsewhere, or that change what "install" means, do not,
neither from the environment nor from a configuration file. So pip gets the allowed settings as variables and reads no
file: with `PIP_CONFIG_FILE` set to the null device it reads none.

pip also runs git, for a git requirement, and so do builds. Inside a git hook, neither gets the variables that would
direct that git to the hook's repository.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

from isolate.home import with_absolute_directories
from isolate.pip.config_files import SECTIONS, config_files, read_config
from isolate.pip.options import (
    ALLOWED_OPTIONS,
    BLOCKED_OPTIONS,
    BUILD_OPTIONS,
    DEMANDING_OPTIONS,
    INDEX_OPTIONS,
    PATH_OPTIONS,
    SELECTION_OPTIONS,
    canonical_option,
)
from isolate.redaction import without_credentials

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

FORCED_SETTINGS = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_COLOR": "1",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_ROOT_USER_ACTION": "ignore",
}
"""Variables that pip always gets, whatever the user sets."""

KEYRING, IMPORTED = "keyring-provider", "import"
"""The option that says how pip asks keyring for credentials, and the value by which it imports the module."""

ISOLATION = "no-build-isolation"
FALSE = ("n", "no", "f", "false", "off", "0")
"""What pip takes for false in a setting."""

CERTIFICATE_VARIABLES = frozenset({"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"})
"""Variables that name the certificates to trust: paths, several of them joined by colons."""

COMPILER_VARIABLES = (
    *("CC", "CXX", "CPPFLAGS", "CFLAGS", "CXXFLAGS", "LDFLAGS", "ARCHFLAGS", "RUSTFLAGS", "CARGO_BUILD_TARGET"),
    "MACOSX_DEPLOYMENT_TARGET",
)
"""Variables that tell compilers what to do: pip and the build backends pass them on."""

REMOVED_PREFIXES = ("PIP_", "PYTHON", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "CONDA_")
"""Prefixes of the variables that could make pip, or the Python that runs it, use other files."""

PASSED_VARIABLES = frozenset({"PYTHONUTF8", "PYTHONIOENCODING"})
"""Variables of Python that pip keeps: they only choose an encoding."""

USER_VARIABLE = re.compile(r"PIP_(?P<option>.+)|PYTHON_.+|CONDA_(?!PREFIX).+")
"""Variables that may be the user's own, such as a token. Those of Python itself have no `_` after `PYTHON`."""


def pip_environment(
    environ: Mapping[str, str], *, prefix: Path, offline: bool = False, variable_names: Collection[str] = ()
) -> dict[str, str]:
    """Return the complete environment for a pip that is run from the virtual environment *prefix*.

    A relative path in a setting is resolved against the current directory, because pip may be run in another one.
    With *offline*, pip has no index and only local links. *variable_names* are the variables that declarations use
    (`${PIP_TOKEN}`); pip gets them unless they are settings of pip or Python. Raises `IsolateError` for a
    configuration file that cannot be read.

    A user without a home directory has no `HOME` here either; the caller sets one, because pip does not start without.
    """
    from isolate.git import without_repository_variables

    settings = {option: _with_absolute_paths(option, value) for option, value in _settings(environ, prefix).items()}
    if offline:
        settings = _offline(settings)
    kept = {
        name: _absolute_paths(value) if name in CERTIFICATE_VARIABLES else value
        for name, value in with_absolute_directories(without_repository_variables(environ)).items()
        if name in PASSED_VARIABLES
        or not name.startswith(REMOVED_PREFIXES)
        or (name in variable_names and _is_user_variable(name))
    }
    passed = {f"PIP_{option.upper().replace('-', '_')}": value for option, value in settings.items()}
    return {**kept, **passed, **FORCED_SETTINGS}


def settings_digest(environ: Mapping[str, str], prefix: Path) -> str:
    """Return a digest (hex) of the settings that reach a pip run from the virtual environment *prefix*.

    Two pips with the same digest look for distributions in the same places, and choose in the same way.
    """
    settings = _settings(environ, prefix).items()
    absolute = sorted((option, _with_absolute_paths(option, value)) for option, value in settings)
    return hashlib.sha256(repr(absolute).encode()).hexdigest()


def build_settings(environ: Mapping[str, str], prefix: Path) -> tuple[tuple[str, str], ...]:
    """Return the settings that a build by a pip in *prefix* may depend on, by name; a file counts by its content.

    Where build dependencies come from is part of them, credentials are not: a new token makes no other build.
    """
    settings = _settings(environ, prefix)
    chosen = {
        option: _with_absolute_paths(option, without_credentials(value))
        for option, value in settings.items()
        if option in BUILD_OPTIONS | SELECTION_OPTIONS | INDEX_OPTIONS
    }
    if "build-constraint" in chosen:
        chosen["build-constraint"] = " ".join(map(_content_digest, chosen["build-constraint"].split()))
    variables = {name: environ[name] for name in COMPILER_VARIABLES if environ.get(name)}
    return tuple(sorted((chosen | variables).items()))


def _content_digest(path: str) -> str:
    """Return the sha256 (hex) of the file at *path*; *path* itself if it cannot be read, or is a URL."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return path


def _is_user_variable(name: str) -> bool:
    match = USER_VARIABLE.fullmatch(name)
    return match is not None and canonical_option(match["option"] or "") not in ALLOWED_OPTIONS | BLOCKED_OPTIONS


def _settings(environ: Mapping[str, str], prefix: Path) -> dict[str, str]:
    """Return the settings that reach pip, by option: those that are given, with the program instead of the module.

    Without isolation a build would find nothing but pip where pip runs, so only isolate switches it off.
    """
    settings = {option: value for option, value in _given_settings(environ, prefix).items() if option != ISOLATION}
    return {**settings, KEYRING: "subprocess"} if settings.get(KEYRING) == IMPORTED else settings


def _given_settings(environ: Mapping[str, str], prefix: Path) -> dict[str, str]:
    """Return the allowed settings that apply, by option.

    A section overrides the sections before it in every file, and variables override all files, as they do for pip.
    """
    return _merged(environ, prefix, ALLOWED_OPTIONS)


def demands(environ: Mapping[str, str], prefix: Path) -> dict[str, str]:
    """Return the settings that demand more of what is installed than the declarations do, by option."""
    return _merged(environ, prefix, DEMANDING_OPTIONS)


def _merged(environ: Mapping[str, str], prefix: Path, options: Collection[str]) -> dict[str, str]:
    """Return those of *options* that are set, with their values."""
    sections: dict[str, dict[str, str]] = {section: {} for section in (*SECTIONS, "environment")}
    for path in config_files(environ, prefix):
        for section, settings in read_config(path).items():
            sections[section] |= settings
    for name, value in environ.items():
        if name.startswith("PIP_"):
            sections["environment"][canonical_option(name[4:])] = value
    merged: dict[str, str] = {}
    for settings in sections.values():  # pip ignores an empty value: the value that it would override applies
        merged |= {option: value for option, value in settings.items() if option in options and value}
    return merged


def switches_isolation_off(environ: Mapping[str, str], prefix: Path) -> bool:
    """Return whether the user's settings tell pip to build without isolation: pip takes the value for the opposite."""
    return _given_settings(environ, prefix).get(ISOLATION, "").lower() in FALSE


def asks_for_imported_keyring(environ: Mapping[str, str], prefix: Path) -> bool:
    """Return whether the user's settings tell pip to import keyring, which no environment that it is run from has."""
    return _given_settings(environ, prefix).get(KEYRING) == IMPORTED


def _with_absolute_paths(option: str, value: str) -> str:
    if option not in PATH_OPTIONS:
        return value
    if option == "cache-dir":  # may be about to be created, and pip expands `~`
        return value if value.startswith("~") else os.path.abspath(value)
    return " ".join(os.path.abspath(word) if os.path.exists(word) else word for word in value.split(" "))


def _absolute_paths(value: str) -> str:
    return os.pathsep.join(os.path.abspath(path) if path else path for path in value.split(os.pathsep))


def _offline(settings: Mapping[str, str]) -> dict[str, str]:
    local = [link for link in settings.get("find-links", "").split() if "://" not in link or link.startswith("file:")]
    kept = {key: value for key, value in settings.items() if key not in ("index-url", "extra-index-url", "find-links")}
    return {**kept, "no-index": "1", **({"find-links": " ".join(local)} if local else {})}
