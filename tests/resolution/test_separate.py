"""Whatever is declared: the base and what is asked for are resolved or refused, and the rest as far as possible."""

from __future__ import annotations

from itertools import chain, combinations, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.pylock import Package, PackageWheel
from packaging.version import Version

from isolate.errors import PipFailed
from isolate.lock.parts import EXTRA, GROUP, Part
from isolate.lock.solutions import Solution
from isolate.pip.index_pages import IndexFailed
from isolate.resolution.separate import Wanted, add_combination, separate

DEV = Part(GROUP, "dev")
on_a_busy_machine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PARTS = (Part(EXTRA, "a"), Part(EXTRA, "b"), Part(EXTRA, "c"), DEV)
NAMES = ("one", "two")
VERSIONS = ("2", "1")
EVERYTHING = frozenset(PARTS)

allowed = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(("1", "2", "12", "")), max_size=2)
"""The versions that something requires of others, by name; none of them for what does not exist."""


@st.composite
def universes(draw):
    """Draw what the base and each part require, and what each version of each package does."""
    roots = {part: draw(allowed) for part in (None, *PARTS)}
    needs = {key: draw(allowed) for key in product(NAMES, VERSIONS)}
    return roots, needs


class Solver:
    """Resolves as pip does, the newest versions first, and counts how often."""

    def __init__(self, universe):
        self.roots, self.needs = universe
        self.runs = 0

    def __call__(self, parts, kept, required):
        self.runs += 1
        for preferred in (kept, {}):
            fixed = {**preferred, **required}
            for versions in product(*([fixed[name]] if name in fixed else VERSIONS for name in NAMES)):
                chosen = dict(zip(NAMES, versions, strict=True))
                if self.is_solved(parts, chosen):
                    return self.solution(parts, chosen)
        raise PipFailed(f"no solution for {sorted(parts)}")

    def is_solved(self, parts, chosen):
        needed = set().union(*(self.closure(part, chosen) for part in (None, *parts)))
        stated = [self.roots[part] for part in (None, *parts)] + [self.needs[name, chosen[name]] for name in needed]
        return all(chosen[name] in versions for requirements in stated for name, versions in requirements.items())

    def closure(self, part, chosen):
        found, todo = set(), list(self.roots[part])
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += self.needs[name, chosen[name]]
        return found

    def solution(self, parts, chosen):
        reached = {part: frozenset(self.closure(part, chosen)) for part in (None, *parts)}
        names = frozenset().union(*reached.values())
        return Solution(parts, {name: package(name, chosen[name]) for name in sorted(names)}, reached)

    def failure(self, parts):
        try:
            self(parts, {}, {})
        except PipFailed as error:
            return error
        return None


def package(name, version):
    wheel = PackageWheel(url=f"https://host.example/{name}-{version}-py3-none-any.whl", hashes={"sha256": version})
    return Package(name=name, version=Version(version), wheels=[wheel])


def answer(solutions, asked):
    return next((each for each in solutions if asked <= each.parts), None)


def subsets():
    return [frozenset(some) for some in chain(*(combinations(PARTS, n) for n in range(len(PARTS) + 1)))]


@on_a_busy_machine
@given(universes(), st.sampled_from([frozenset(), {DEV}, {PARTS[0]}, {PARTS[0], DEV}, {PARTS[0], PARTS[1], DEV}]))
def test_every_part_that_can_be_resolved_is_and_every_answer_is_a_solution(universe, asked):
    asked, solver = frozenset(asked), Solver(universe)
    failure = solver.failure(EVERYTHING) or PipFailed("everything together")
    try:
        solutions, failures = separate(Wanted(PARTS, frozenset({DEV}), asked), solver, failure)
    except PipFailed:
        assert asked == EVERYTHING or solver.failure(asked) or solver.failure(frozenset())
        return
    assert answer(solutions, asked) is not None
    assert answer(solutions, frozenset()) is not None
    for part in PARTS:
        alone = solver.failure(frozenset({part}))
        assert (part in failures) == (answer(solutions, frozenset({part})) is None)
        assert part not in failures or alone is not None
    for each in subsets():
        if (solution := answer(solutions, each)) is not None:
            chosen = dict.fromkeys(NAMES, "1") | {n: str(p.version) for n, p in solution.packages.items()}
            assert solver.is_solved(each, chosen)


@on_a_busy_machine
@given(universes(), st.sampled_from(subsets()))
def test_a_combination_that_is_added_leaves_the_answer_for_the_base(universe, parts):
    solver = Solver(universe)
    try:
        solutions = separate(Wanted(PARTS, frozenset({DEV})), solver, PipFailed("everything together")).solutions
    except PipFailed:
        return
    if answer(solutions, parts) is not None:
        return
    if solver.failure(parts):
        with pytest.raises(PipFailed):
            add_combination(solutions, parts, solver)
        return
    more = add_combination(solutions, parts, solver)
    assert answer(more, parts) is not None
    before, after = answer(solutions, frozenset()), answer(more, frozenset())
    base = before.needed_for(())
    assert {n: before.packages[n] for n in base} == {n: after.packages[n] for n in after.needed_for(())}


def test_one_extra_among_many_that_cannot_be_resolved_is_found_by_halves():
    extras = tuple(Part(EXTRA, f"e{number:02}") for number in range(16))
    roots = {part: {"one": ""} if part == extras[11] else {} for part in (None, *extras)}
    solver = Solver((roots, {key: {} for key in product(NAMES, VERSIONS)}))
    solutions, failures = separate(Wanted(extras), solver, PipFailed("everything together"))
    assert [each.parts for each in solutions] == [frozenset(extras) - {extras[11]}]
    assert list(failures) == [extras[11]]
    assert solver.runs < 12


@pytest.mark.parametrize("failing", range(4))
def test_an_index_that_fails_leaves_nothing_out(failing):
    universe = {part: {"one": ""} if part == PARTS[1] else {} for part in (None, *PARTS)}
    solver = Solver((universe, {key: {} for key in product(NAMES, VERSIONS)}))

    def solve(parts, kept, required):
        if solver.runs == failing:
            raise IndexFailed("an index failed")
        return solver(parts, kept, required)

    with pytest.raises(IndexFailed):
        separate(Wanted(PARTS, frozenset({DEV})), solve, PipFailed("everything together"))
