"""The solutions that a lock holds, to add another one to them. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from isolate.lock.comparison import compare
from isolate.lock.locked_selections import selections_of
from isolate.lock.parts import declared_parts, part_of, parts_of, selection_of, with_parts
from isolate.lock.select import choose
from isolate.lock.solutions import Solution

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from isolate.declarations.declared import Declarations
    from isolate.interpreters.interpreter import Interpreter
    from isolate.lock.comparison import Comparison
    from isolate.lock.parts import Part


def solutions_in(lock: Pylock, declarations: Declarations, interpreter: Interpreter) -> list[Solution] | None:
    """Return the solutions of *declarations* that *lock*, which is fresh, has for *interpreter*.

    Returns None if what leads to its packages cannot be told.
    """
    solutions = []
    declared = frozenset(declared_parts(declarations))
    for selection in selections_of(lock):
        parts = parts_of(selection) & declared
        chosen = choose(lock, interpreter, selection_of(parts), root=str(declarations.root))
        comparison = compare(lock, chosen, with_parts(declarations, parts), interpreter.markers)
        packages = {name: replace(package, marker=None) for name, package in comparison.packages.items()}
        reached: dict[Part | None, frozenset[str]] = {}
        for part in (None, *parts):
            names = _reached(comparison, part)
            if names is None:
                return None
            reached[part] = names
        unexplained = packages.keys() - frozenset[str]().union(*reached.values())
        reached[None] |= unexplained
        solutions.append(Solution(parts, packages, reached))
    return solutions


def _reached(comparison: Comparison, part: Part | None) -> frozenset[str] | None:
    """Return the locked names to which the requirements of *part* lead, or those of the base."""
    declarations = comparison.declarations
    requirements = tuple(declared for declared in declarations.requirements if part_of(declared) == part)
    own = comparison.locked if part is None else tuple(d for d in comparison.locked if d.directory is None)
    alone = declarations._replace(requirements=requirements, extras=())
    reduced = comparison._replace(declarations=alone, locked=own)
    reached = reduced.reached()
    return None if reached is None else frozenset(reached.keys() & comparison.packages.keys())
