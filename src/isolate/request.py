"""What the options of a command ask for, as a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from isolate.errors import UnknownName
from isolate.locked import DEFAULT_GROUP, Selection

if TYPE_CHECKING:
    from isolate.declarations.declared import Declarations


class LockPolicy(NamedTuple):
    """What a command may do about the lock, by the options that it comes from.

    `upgrade` (--upgrade): every version may change. `upgrade_packages` (--upgrade-package): these may; with
    `require_known`, an unknown name among them is an error. `may_change=False` (--locked): a stale lock is an error.
    `validate=False` (--frozen): use the lock without checking it.
    """

    upgrade: bool = False
    upgrade_packages: tuple[str, ...] = ()
    require_known: bool = True
    may_change: bool = True
    validate: bool = True


class Request(NamedTuple):
    """The options of `isolate sync`. Names are normalized. The default asks for the project and the group `dev`."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    all_groups: bool = False
    no_dev: bool = False
    project: bool = True
    python: str | None = None
    lock_policy: LockPolicy = LockPolicy()
    dry_run: bool = False
    inexact: bool = False
    bytecode: bool = False
    link_mode: str | None = None
    adopt: bool = False
    offline: bool = False
    verify: bool = False

    @property
    def is_plain(self) -> bool:
        """Return whether this asks for the same as a `sync` without options, so that its stamp answers for both."""
        return self._replace(verify=False) == Request()


def selected(declarations: Declarations, request: Request) -> Selection:
    """Return the extras and groups that *request* names; raise `UnknownName` for one that is not declared."""
    _check_declared("extra", request.extras, declarations.extras)
    _check_declared("group", request.groups, declarations.groups)
    groups = set(declarations.groups) if request.all_groups else set(request.groups)
    if not request.no_dev:
        groups |= {DEFAULT_GROUP} & set(declarations.groups)
    extras = tuple(sorted(request.extras))
    return Selection(extras=extras, groups=tuple(sorted(groups)), project=request.project, no_dev=request.no_dev)


def request_like(selection: Selection, declarations: Declarations) -> Request:
    """Return the request for what *selection* has of the declared extras and groups."""
    return Request(
        extras=tuple(extra for extra in declarations.extras if extra in selection.extras),
        groups=tuple(group for group in declarations.groups if group != DEFAULT_GROUP and group in selection.groups),
        no_dev=bool(selection.no_dev),
        project=bool(selection.project),
    )


def _check_declared(kind: str, names: tuple[str, ...], declared: tuple[str, ...]) -> None:
    for name in names:
        if name not in declared:
            raise UnknownName(
                f"{kind} {name} is not declared",
                facts=(f"declared: {', '.join(declared) or 'none'}",),
                hint=f"name a declared {kind}, or declare {name} in pyproject.toml",
            )
