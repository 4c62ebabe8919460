"""Who owns a file that several distributions install: the lock alone decides."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import Package, Pylock
from packaging.version import Version

from isolate.errors import InvalidDistribution
from isolate.file_owners import content_warnings, misplaced_files, overridden_files, paths_of
from isolate.lock.precedence import Precedence, precedence_of

NAMES = ("a", "b", "c", "d", "e", "pip")
GRAPHS = st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES), max_size=3), min_size=1)
FILES = st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(["f", "g", "h"]), min_size=1), min_size=1)


def shuffled(mapping, seed):
    keys = [*mapping]
    random.Random(seed).shuffle(keys)
    return {key: mapping[key] for key in keys}


def reached(graph, name):
    found, todo = set(), [name]
    while todo:
        new = graph.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found


@given(GRAPHS, FILES, st.integers())
def test_the_owners_are_the_same_in_any_order(graph, files, seed):
    overridden = overridden_files(files, Precedence(graph))
    assert overridden_files(shuffled(files, seed), Precedence(shuffled(graph, seed))) == overridden
    assert misplaced_files(overridden, Precedence(shuffled(graph, seed))) == []


@given(GRAPHS, FILES)
def test_each_file_has_one_owner_and_each_other_distribution_knows_it(graph, files):
    overridden = overridden_files(files, Precedence(graph))
    for path in set().union(*files.values()):
        installers = {name for name in files if path in files[name]}
        losers = {name for name in installers if path in paths_of(overridden.get(name, {}))}
        [owner] = installers - losers
        assert {by for name in losers for by, paths in overridden[name].items() if path in paths} <= {owner}


@given(GRAPHS, st.sets(st.sampled_from(NAMES), min_size=1))
def test_no_other_distribution_depends_on_the_owner(graph, names):
    owner = Precedence(graph).owner(names)
    if "pip" in names:
        assert owner == "pip"
        return
    known = names & graph.keys() or names
    assert owner in known
    for other in known:
        assert owner not in reached(graph, other) or other in reached(graph, owner)


@given(GRAPHS, FILES, st.lists(st.sets(st.sampled_from(NAMES)), max_size=5))
def test_what_was_there_before_does_not_matter(graph, files, sequence):
    """An environment in which each step installs another set ends with the owners of the last one."""
    precedence = Precedence(graph)
    for names in sequence:
        overridden_files({name: files[name] for name in names & files.keys()}, precedence)
    assert overridden_files(files, precedence) == overridden_files(files, Precedence(graph))


@pytest.mark.parametrize(
    ("graph", "names", "owner"),
    [
        ({"a": (), "b": ()}, "ab", "b"),
        ({"a": {"b"}, "b": ()}, "ab", "a"),
        ({"a": {"x"}, "x": {"b"}, "b": ()}, "ab", "a"),
        ({"a": {"b"}, "b": {"a"}}, "ab", "b"),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, "abc", "a"),
        ({"a": {"c"}, "b": (), "c": ()}, "abc", "b"),
        ({"a": ()}, "ab", "a"),
        ({}, "ab", "b"),
    ],
)
def test_a_dependent_comes_after_what_it_depends_on_and_then_the_name_counts(graph, names, owner):
    assert Precedence(graph).owner(names) == owner
    assert Precedence(graph).owner([*reversed(names)]) == owner


def test_the_lock_tells_the_dependencies():
    def package(name, *needed, requires=None):
        tool = {"isolate": {"requires": requires}} if requires else None
        edges = [{"name": other} for other in needed] or None
        return Package(name=name, version=Version("1"), dependencies=edges, tool=tool)

    packages = [package("a", "c"), package("a", "B_b"), package("b-b"), package("c"), package("d", requires=["e[x]"])]
    lock = Pylock(lock_version=Version("1.0"), created_by="x", packages=[*packages, package("e", requires=["?"])])
    assert precedence_of(lock).owner(["a", "c"]) == "a"
    assert precedence_of(lock).owner(["a", "b-b"]) == "a"
    assert precedence_of(lock).owner(["d", "e"]) == "d"


def test_a_file_where_another_has_a_directory_is_refused():
    with pytest.raises(InvalidDistribution, match=r"^a installs the file x, and b a directory"):
        overridden_files({"b": ["x/y/z"], "a": ["x"]}, Precedence({}))


def test_a_warning_names_both_and_equal_content_needs_none():
    digests = {"a": {"f": "1", "g": "1", "h": "1"}, "b": {"f": "2", "g": "1", "h": "2"}, "c": {"g": "1"}}
    overridden = overridden_files(digests, Precedence({}))
    line = "warning: a and b both install f and 1 more, with different content; that of b is used"
    assert content_warnings(digests, overridden, {"b"}) == [line]
    assert content_warnings(digests, overridden, {"c"}) == []


def test_a_new_order_misplaces_a_file():
    overridden = {"a": {"c": ("f",)}, "b": {"c": ("f", "g")}}
    assert misplaced_files(overridden, Precedence({"a": {"c"}, "b": (), "c": ()})) == [("f", "c", "b")]
