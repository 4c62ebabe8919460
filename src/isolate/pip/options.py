"""pip's options, sorted by whether a user's setting of them may reach pip. Pure.

An option that is in neither list stays out: it may be new, and may change what "install" means.
"""

from __future__ import annotations

SOURCE_OPTIONS = frozenset(
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
"""Options that say where distributions come from, and how to reach that place."""

INDEX_OPTIONS = frozenset({"extra-index-url", "find-links", "index-url", "no-index"})
"""Those of `SOURCE_OPTIONS` that say where distributions come from."""

SELECTION_OPTIONS = frozenset(
    {"all-releases", "no-binary", "only-binary", "only-final", "pre", "prefer-binary", "uploaded-prior-to"}
)
"""Options that say which of the available distributions pip may choose."""

BUILD_OPTIONS = frozenset(
    {"build-constraint", "config-settings", "no-build-isolation", "use-deprecated", "use-feature"}
)
"""Options that say how pip builds a wheel from a source distribution."""

ALLOWED_OPTIONS = SOURCE_OPTIONS | SELECTION_OPTIONS | BUILD_OPTIONS

DEMANDING_OPTIONS = frozenset({"constraint", "require-hashes"})
"""Options that limit what may be installed. isolate reads them as declarations, so a lock has to meet them."""

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
    """.split()  # noqa: SIM905 - as a list it would have seventy lines
)
"""All other options of pip, and those of `DEMANDING_OPTIONS`.

The last line has the settings that pip makes for the pips that it starts itself.
"""

PATH_OPTIONS = frozenset(
    {"build-constraint", "cache-dir", "cert", "client-cert", "extra-index-url", "find-links", "index-url"}
)
"""Options whose value may be a path."""

ALIASES = {"default-timeout": "timeout"}


def canonical_option(name: str) -> str:
    """Return the one name of the option that a configuration file or a variable calls *name*."""
    option = name.lower().replace("_", "-").removeprefix("--")
    return ALIASES.get(option, option)
