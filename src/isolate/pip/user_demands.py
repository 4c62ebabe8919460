"""What the user's settings of pip demand beyond the declarations: constraints, and a hash for each requirement.

They count as declarations, so that a lock has to meet them, and a change of a constraints file is noticed.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.declarations.requirements_file import RequirementsFileContents, read_requirements
from isolate.errors import DeclarationError, InvalidConfiguration
from isolate.pip.settings import demands
from isolate.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.declarations.declared import Declarations

REQUIRE_HASHES = "--require-hashes"
TRUE = ("1", "on", "t", "true", "y", "yes")
"""How pip writes a flag that is set."""

SETTING_VARIABLES = (
    *("HOME", "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME"),
    *("PIP_CONFIG_FILE", "PIP_CONSTRAINT", "PIP_REQUIRE_HASHES"),
)
"""The variables that say what the settings demand, or where they are."""

HINT = "correct `constraint` in pip's settings (the variable PIP_CONSTRAINT, or pip.conf)"


def with_user_demands(declarations: Declarations, environ: Mapping[str, str], prefix: Path) -> Declarations:
    """Return *declarations* with what the settings of the pip in the virtual environment *prefix* demand.

    Relative paths start from the current directory, as they do for pip. A lock without declarations stays as it is.
    Raises `InvalidConfiguration` for a constraint that cannot be read, `DeclarationError` for one that is not valid.
    """
    settings = demands(environ, prefix) if declarations.files else {}
    if settings.get("require-hashes", "").lower() in TRUE:
        declarations = declarations._replace(
            index_options=_with_flag(declarations.index_options),
            expanded_index_options=_with_flag(declarations.expanded_index_options),
        )
    contents = RequirementsFileContents(declarations.root, files={**declarations.contents})
    for name in settings.get("constraint", "").split():
        _read(name, contents, environ)
    if not contents.constraints:
        return declarations._replace(contents=contents.files)
    constraints = (*declarations.constraints, *contents.constraints)
    return declarations._replace(
        contents=contents.files,
        constraints=constraints,
        index_options=(*declarations.index_options, *contents.index_options),
        expanded_index_options=(*declarations.expanded_index_options, *contents.expanded_index_options),
    )


def _with_flag(options: tuple[str, ...]) -> tuple[str, ...]:
    return options if REQUIRE_HASHES in options else (*options, REQUIRE_HASHES)


def _read(name: str, contents: RequirementsFileContents, environ: Mapping[str, str]) -> None:
    if "://" in name and not name.lower().startswith("file://"):
        url = redact(name)
        raise InvalidConfiguration(
            f"pip's settings name a constraints file that is not on this machine: {url}",
            facts=("isolate reads no declarations from the network: they could change without a trace",),
            hint=f"run `curl -fLo constraints.txt {shlex.quote(url)}`, and name that file instead",
        )
    path = Path(os.path.abspath(name[len("file://") :] if "://" in name else name))
    if not path.exists():
        raise InvalidConfiguration(f"the constraints file {path} of pip's settings does not exist", hint=HINT)
    try:
        read_requirements(path, contents, environ, constraint=True)
    except DeclarationError as error:
        error.facts = (*error.facts, "it is named by `constraint` in pip's settings")
        raise
