"""What the options of a command ask for, as a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from isolate.errors import UnknownName
from isolate.locked import DEFAULT_GROUP, Selection
from isolate.named import Named

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
    """The options of `isolate sync`. Names are normalized. The default asks for the project and the group `dev`.

    `named` is what was named for the environment, now or in an earlier sync; `asked`: now.
    """

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    all_groups: bool = False
    no_dev: bool = False
    editable: bool = True
    named: Named = Named()
    asked: Named = Named()
    lock_policy: LockPolicy = LockPolicy()
    dry_run: bool = False
    inexact: bool = False
    bytecode: bool = False
    link_mode: str | None = None
    adopt: bool = False
    offline: bool = False
    verify: bool = False
    forget: bool = False
    save: bool = False

    @classmethod
    def naming(cls, named: Named, **options: Any) -> Request:
        """Return the request that names *named* now, with other *options*."""
        return cls(named=named, asked=named, **options)

    @property
    def python(self) -> str | None:
        """Return the Python that was named; None if none was."""
        return self.named.python

    @property
    def for_others(self) -> Request:
        """Return this request without what an earlier sync named for one environment."""
        return self._replace(named=self.asked)

    @property
    def is_plain(self) -> bool:
        """Return whether this asks for the same as a `sync` without options, so that its stamp answers for both."""
        return self._replace(verify=False) == Request()

    @property
    def is_repeated(self) -> bool:
        """Return whether a `sync` without options, which follows what was named, would ask for the same."""
        return self._replace(named=Named(), asked=Named(), forget=False).is_plain


def selected(declarations: Declarations, request: Request) -> Selection:
    """Return the extras and groups that *request* names; raise `UnknownName` for one that is not declared."""
    if not declarations.needs_metadata:
        _check_declared("extra", request.extras, declarations.extras)
    _check_declared("group", request.groups, declarations.groups)
    groups = set(declarations.groups) if request.all_groups else set(request.groups)
    if not request.no_dev:
        groups |= set(declarations.default_groups)
    else:
        groups |= set(declarations.default_groups) - {DEFAULT_GROUP}
    extras = tuple(sorted(request.extras))
    return Selection(extras, tuple(sorted(groups)), request.named.project, request.no_dev, request.editable)


def request_like(selection: Selection, declarations: Declarations) -> Request:
    """Return the request for what *selection* has of the declared extras and groups.

    Extras that only a build could tell count as declared.
    """
    is_known = not declarations.needs_metadata
    unasked = declarations.default_groups if not selection.no_dev else ()
    return Request.naming(
        Named(project=bool(selection.project)),
        extras=tuple(extra for extra in selection.extras if not is_known or extra in declarations.extras),
        groups=tuple(group for group in declarations.groups if group in selection.groups and group not in unasked),
        no_dev=bool(selection.no_dev),
        editable=bool(selection.editable),
    )


def _check_declared(kind: str, names: tuple[str, ...], declared: tuple[str, ...]) -> None:
    for name in names:
        if name not in declared:
            raise UnknownName(
                f"{kind} {name} is not declared",
                facts=(f"declared: {', '.join(declared) or 'none'}",),
                hint=f"name a declared {kind}, or declare {name} in pyproject.toml",
            )
