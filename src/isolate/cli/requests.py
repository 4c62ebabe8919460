"""From the options of a command to the values that the commands work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isolate.errors import UsageError
from isolate.request import LockPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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
