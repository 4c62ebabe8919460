"""Make a lock of several solutions: of extras and groups that cannot all be resolved at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.declarations.read import reject_conflicting_requirements
from isolate.lock.from_report import lock_of
from isolate.lock.lock_solutions import solutions_in
from isolate.lock.locked_selections import left_out_of, not_locked, selections_of
from isolate.lock.parts import GROUP, Part, declared_parts, in_words, parts_of, with_parts
from isolate.lock.tool_table import TOOL
from isolate.resolution.completeness import excluded_versions
from isolate.resolution.resolver import resolver_for
from isolate.resolution.separate import Wanted, add_combination, separate
from isolate.resolution.verified import verified

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.pylock import Pylock

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.errors import IsolateError
    from isolate.lock.solutions import Solution
    from isolate.resolution.context import LockContext
    from isolate.resolution.separate import Separated, Solve, Versions


def resolved_apart(
    context: LockContext, old: Pylock | None, builder: EnvironmentBuilder, failure: IsolateError
) -> Separated:
    """Return solutions for the declarations of *context*, which together have none because of *failure*.

    Also returns why parts that nobody asked for are in none of them. Raises what pip says if the base or what is asked
    for cannot be resolved.
    """
    declared = declared_parts(context.declarations)
    wanted = Wanted(
        declared=declared,
        default=frozenset(Part(GROUP, name) for name in context.declarations.default_groups) & frozenset(declared),
        asked=parts_of(context.asked),
        earlier=() if old is None else tuple(map(parts_of, selections_of(old))),
    )
    return separate(wanted, _solver(context, old, builder), failure)


def extended(old: Pylock, context: LockContext, builder: EnvironmentBuilder) -> Pylock | None:
    """Return the *old* lock with a solution for what is asked for; None if that is not all that it lacks.

    Raises what pip says if what is asked for cannot be resolved.
    """
    declarations, interpreter, policy = context.declarations, context.interpreter, context.policy
    if old.created_by != TOOL or policy.upgrade or policy.upgrade_packages or not not_locked(old, context.asked):
        return None
    if context.staleness_of(old):
        return None
    solutions = solutions_in(old, declarations, interpreter)
    if solutions is None:
        return None
    asked = parts_of(context.asked)
    solutions = add_combination(solutions, asked, _solver(context, old, builder))
    return lock_of(solutions, declarations, interpreter, [row for row in left_out_of(old) if row.part not in asked])


def _solver(context: LockContext, old: Pylock | None, builder: EnvironmentBuilder) -> Solve:
    def solve(parts: frozenset[Part], kept: Versions, required: Versions) -> Solution:
        declarations = with_parts(context.declarations, parts)
        reject_conflicting_requirements(declarations.requirements, declarations.constraints)
        own = context._replace(declarations=declarations)
        resolver = resolver_for(own, old, builder).without(excluded_versions(old, context))
        resolver = resolver._replace(kept={**resolver.kept, **kept}, required=required)
        builder.progress.working(f"resolving {in_words(parts) or 'the base'}")
        resolved = verified(resolver.resolve(), declarations, builder)
        resolver.cache.add(resolved)
        return own.solution(resolved)

    return solve


def notes_on(solutions: Sequence[Solution], failures: Mapping[Part, IsolateError]) -> tuple[str, ...]:
    """Return a line for each part that is left out, and one for those that do not go together with all others."""
    lines = [f"left out of the lock: {part}: {failure.problem}" for part, failure in sorted(failures.items())]
    if apart := frozenset[Part]().union(*(one.parts for one in solutions)) - solutions[0].parts:
        lines.append(f"locked apart, because it does not go together with everything else: {in_words(apart)}")
    return tuple(lines)
