"""From the options of a command to the values that the commands work with."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from isolate.errors import UsageError
from isolate.request import LockPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def lock_policy(choices: Mapping[str, Any], *, has_many: bool) -> LockPolicy:
    """Return what the command may do to the lock. Raises `UsageError` for options that exclude each other.

    With *has_many*, there are several applications, not all of which need to have each package to upgrade.
    """
    is_locked, is_frozen = choices.get("locked", False), choices.get("frozen", False)
    if is_locked and is_frozen:
        raise UsageError("--locked and --frozen exclude each other", hint="use one of the two")
    if (choices["upgrade"] or choices["upgrade_packages"]) and (is_locked or is_frozen):
        raise UsageError(
            "an upgrade changes the lock, which --locked and --frozen forbid", hint="leave out one of the two options"
        )
    return LockPolicy(
        upgrade=choices["upgrade"],
        upgrade_packages=tuple(map(_package, choices["upgrade_packages"])),
        require_known=not (choices["upgrade_packages"] and has_many),
        may_change=not is_locked,
        validate=not is_frozen,
    )


def named_files(choices: Mapping[str, Any], *, has_many: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the absolute paths of the files that -r and -c name. Raises `UsageError` where they cannot be named.

    With *has_many*, there are several applications, none of which they would belong to.
    """
    names = (*choices["requirements"], *choices["constraints"])
    options = [option for option, given in (("-r and -c", names), ("--save", choices["save"])) if given]
    if options and has_many:
        raise UsageError(f"{options[0]}: for one application alone", hint="name one application")
    if options and (choices["locked"] or choices["frozen"]):
        problem = f"{options[0]}: pylock.toml, which --locked and --frozen ask for, is about the declarations alone"
        raise UsageError(
            problem, hint="leave out one of the two options; `--save` makes files part of the declarations"
        )
    for name in names:
        if URL.match(name):
            raise UsageError(f"{name} is a URL, and files are read from this machine", hint="name a copy of the file")
        if name.endswith(".toml"):
            hint = "leave it out; `isolate sync --forget` returns to what the application declares"
            raise UsageError(f"{name} is not a requirements file", hint=hint)
    requirements, constraints = (map(os.path.abspath, choices[key]) for key in ("requirements", "constraints"))
    return tuple(dict.fromkeys(requirements)), tuple(dict.fromkeys(constraints))


def normalized(names: Iterable[str]) -> tuple[str, ...]:
    """Return the normalized *names* of extras or groups."""
    from packaging.utils import canonicalize_name

    return tuple(canonicalize_name(name) for name in names)


def _package(text: str) -> str:
    from packaging.utils import InvalidName, canonicalize_name

    try:
        return canonicalize_name(text, validate=True)
    except InvalidName:
        raise UsageError(
            f"--upgrade-package {text}: not a package name", hint="give a name without a version; declare the version"
        ) from None
