"""The markers of a lock select, for every selection that it has, exactly what was resolved for it."""

from __future__ import annotations

from itertools import chain, combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.pylock import Package, PackageWheel
from packaging.version import Version

from isolate.lock.entry_markers import entry_marker
from isolate.lock.parts import EXTRA, GROUP, Part, selection_of
from isolate.lock.solutions import Solution, entries_of, joined

on_a_busy_machine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PARTS = [Part(EXTRA, "a"), Part(EXTRA, "b"), Part(GROUP, "c")]
NAMES = ["one", "two", "three"]


def package(name, version):
    wheel = f"{name}-{version}-py3-none-any.whl"
    url = f"https://host.example/{wheel}"
    return Package(
        name=name, version=Version(version), wheels=[PackageWheel(name=wheel, url=url, hashes={"sha256": version})]
    )


def subsets(parts):
    return [frozenset(some) for some in chain(*(combinations(sorted(parts), n) for n in range(len(parts) + 1)))]


@st.composite
def solutions_of_one_application(draw, parts_of_each=None):
    """Draw solutions of the same declarations, in which different versions may need different packages."""
    roots = {part: draw(st.frozensets(st.sampled_from(NAMES))) for part in (None, *PARTS)}
    needs = {(name, version): draw(st.frozensets(st.sampled_from(NAMES))) for name in NAMES for version in "12"}
    chosen = parts_of_each or draw(st.lists(st.frozensets(st.sampled_from(PARTS)), min_size=1, max_size=4))
    return [_solution(parts, roots, needs, {name: draw(st.sampled_from("12")) for name in NAMES}) for parts in chosen]


def _solution(parts, roots, needs, versions):
    reached = {part: _closure(roots[part], needs, versions) for part in (None, *sorted(parts))}
    packages = {name: package(name, versions[name]) for name in sorted(frozenset().union(*reached.values()))}
    return Solution(parts, packages, reached)


def _closure(names, needs, versions):
    found = names.union(*(needs[name, versions[name]] for name in names))
    return names if found == names else _closure(found, needs, versions)


def answer(solutions, asked):
    """Return what the first solution that has everything that is *asked* for installs; None if there is none."""
    solution = next((solution for solution in solutions if asked <= solution.parts), None)
    if solution is None:
        return None
    return {name: solution.packages[name].version for name in solution.needed_for(asked)}


def lock_of(solutions):
    parts = [solution.parts for solution in solutions]
    return [
        (package, entry_marker([each.places_of(package) for each in solutions], parts, PARTS))
        for _, variants in entries_of(solutions)
        for package in variants
    ]


def holds(marker, asked):
    selection = selection_of(asked)
    environment = {"extras": frozenset(selection.extras), "dependency_groups": frozenset(selection.groups)}
    return marker is None or marker.evaluate(environment, context="lock_file")


def installed(lock, asked):
    chosen = [package for package, marker in lock if holds(marker, asked)]
    assert len({package.name for package in chosen}) == len(chosen), "two entries of one name"
    return {package.name: package.version for package in chosen}


@on_a_busy_machine
@given(solutions_of_one_application())
def test_every_selection_gets_exactly_what_was_resolved_for_it(solutions):
    solutions = [
        each
        for number, each in enumerate(solutions)
        if not any(each.parts <= earlier.parts for earlier in solutions[:number])
    ]
    lock = lock_of(solutions)
    for asked in subsets(frozenset().union(*(each.parts for each in solutions))):
        if (expected := answer(solutions, asked)) is not None:
            assert installed(lock, asked) == expected


@on_a_busy_machine
@given(solutions_of_one_application())
def test_what_is_joined_answers_for_everything_that_was_resolved_with_what_was_resolved(solutions):
    together = joined(solutions)
    lock = lock_of(together)
    assert answer(together, frozenset()) == answer(solutions[:1], frozenset())
    for asked in subsets(PARTS):
        got = answer(together, asked)
        if got is None:
            assert not any(asked <= each.parts for each in solutions)
            continue
        assert installed(lock, asked) == got
        pieces = [pieces_of(part, solutions) for part in (None, *asked)]
        assert all(any(piece.items() <= got.items() for piece in alternatives) for alternatives in pieces)
        assert got.keys() <= {name for alternatives in pieces for piece in alternatives for name in piece}


def pieces_of(part, solutions):
    """Return what each of *solutions* has for *part*."""
    found = [each for each in solutions if part is None or part in each.parts]
    return [{name: each.packages[name].version for name in each.reached[part]} for each in found]


@on_a_busy_machine
@given(solutions_of_one_application())
def test_joining_again_changes_nothing(solutions):
    once = joined(solutions)
    assert [each.parts for each in joined(once)] == [each.parts for each in once]
    assert lock_of(joined(once)) == lock_of(once)


@on_a_busy_machine
@given(solutions_of_one_application([frozenset(PARTS)]))
def test_one_solution_has_no_negations(solutions):
    for found, marker in lock_of(solutions):
        places = solutions[0].places_of(found)
        assert (marker is None) == (None in places)
        assert "not in" not in str(marker)


def test_the_terms_are_in_the_order_of_the_declarations_and_what_follows_from_others_is_left_out():
    a, b, c = PARTS
    assert entry_marker([{c, b}], [{a, b, c}], PARTS) == Marker('"b" in extras or "c" in dependency_groups')
    assert entry_marker([{None, b}], [{b}], PARTS) is None
    base, other = [{None}, frozenset()], [{a, c}, {b, c}]
    assert entry_marker(base, other, PARTS) == Marker('"b" not in extras')
    assert entry_marker(base[::-1], other, PARTS) == Marker('"b" in extras')
