"""Parts: the extras and the groups of an application, each of which may be asked for on its own. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from isolate.formatting import count
from isolate.locked import Selection

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from isolate.declarations.declared import Declarations, DeclaredRequirement

EXTRA, GROUP = "extra", "group"


class Part(NamedTuple):
    """An extra or a group (`kind`) by its normalized name."""

    kind: str
    name: str

    def condition(self, *, asked: bool = True) -> str:
        """Return the marker that is true where the part is *asked* for, or where it is not."""
        variable = "extras" if self.kind == EXTRA else "dependency_groups"
        return f'"{self.name}" {"in" if asked else "not in"} {variable}'

    def __str__(self) -> str:
        """Return `extra name`."""
        return f"{self.kind} {self.name}"


def part_of(declared: DeclaredRequirement) -> Part | None:
    """Return the part that *declared* belongs to; None for the base."""
    if declared.extra is not None:
        return Part(EXTRA, declared.extra)
    return None if declared.group is None else Part(GROUP, declared.group)


def parts_of(selection: Selection) -> frozenset[Part]:
    """Return the extras and groups of *selection*."""
    extras = {Part(EXTRA, name) for name in selection.extras}
    return frozenset(extras | {Part(GROUP, name) for name in selection.groups})


def declared_parts(declarations: Declarations) -> tuple[Part, ...]:
    """Return the parts of *declarations*, in order, extras first."""
    extras, groups = declarations.extras, declarations.groups
    parts = (*(Part(EXTRA, name) for name in extras), *(Part(GROUP, name) for name in groups))
    return tuple(dict.fromkeys(parts))


def selection_of(parts: Iterable[Part]) -> Selection:
    """Return the selection of *parts*, sorted by name."""
    names: Mapping[str, list[str]] = {EXTRA: [], GROUP: []}
    for part in sorted(set(parts)):
        names[part.kind].append(part.name)
    return Selection(extras=tuple(names[EXTRA]), groups=tuple(names[GROUP]))


def with_parts(declarations: Declarations, parts: Collection[Part]) -> Declarations:
    """Return *declarations* as if *parts* were all that is declared besides the base."""
    selection = selection_of(parts)
    return declarations._replace(
        requirements=declarations.selected(selection.extras, selection.groups),
        extras=tuple(name for name in declarations.extras if name in selection.extras),
        groups=tuple(name for name in declarations.groups if name in selection.groups),
    )


def in_words(parts: Iterable[Part]) -> str:
    """Return *parts* as a text: `the extras a and b and the group c`."""
    texts = []
    for kind in (EXTRA, GROUP):
        names = [part.name for part in sorted(set(parts)) if part.kind == kind]
        if names:
            plural = count(len(names), kind).partition(" ")[2]
            texts.append(f"the {plural} {', '.join(names[:-1])}{' and ' if names[1:] else ''}{names[-1]}")
    return " and ".join(texts)


def as_options(parts: Iterable[Part]) -> str:
    """Return the options that ask for *parts*: `--extra a --group b`."""
    return " ".join(f"--{part.kind} {part.name}" for part in sorted(set(parts)))
