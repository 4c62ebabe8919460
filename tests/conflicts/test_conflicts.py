from __future__ import annotations

import json
from itertools import combinations

import pytest
from example import PYTHONS, example_pins
from hypothesis import given, settings
from hypothesis import strategies as st

from isolate.conflicts.pins import PYTHON, Pin, find_conflicts, newest_first
from isolate.conflicts.text import MAX_PAIRS, facts, lines, summary

APPLICATIONS = [f"team/{letter}" for letter in "abcdefgh"]
NAMES = ["django", "celery", "numpy", "idna"]
VERSIONS = ["1.0", "1.0.0", "2.0", "2.0rc1", "2.0+local", "nightly", ""]


def pin(application: str, name: str, version: str, *through: str) -> Pin:
    declared = f"{through[0] if through else name}>=1 (a.toml:7)"
    return Pin(application=application, name=name, version=version, declared=declared, through=through)


@st.composite
def pins_and_pythons(draw) -> tuple[list[Pin], dict[str, str]]:
    applications = draw(st.lists(st.sampled_from(APPLICATIONS), unique=True))
    profiles = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VERSIONS))
    pins = [
        pin(application, name, version, *through)
        for application in applications
        for name, version in draw(profiles).items()
        for through in draw(st.sampled_from([[()], [("x",)], [(), ("x", "y")]]))
    ]
    pythons = {application: draw(st.sampled_from(["", "3.11.1", "3.11.9", "3.12.0"])) for application in applications}
    return pins, pythons


def can_share(first: str, second: str, pins: list[Pin], pythons: dict[str, str]) -> bool:
    """Return whether two applications can share, computed in the slow and obvious way."""
    minors = {pythons[application].rpartition(".")[0] for application in (first, second)} - {""}
    same = {"1.0.0": "1.0"}
    mine, other = (
        {pin.name: same.get(pin.version, pin.version) for pin in pins if pin.application == application}
        for application in (first, second)
    )
    return len(minors) < 2 and all(other.get(name, version) == version for name, version in mine.items())


@settings(deadline=None)
@given(pins_and_pythons())
def test_every_application_is_in_exactly_one_group(generated):
    pins, pythons = generated
    result = find_conflicts(pins, pythons)
    assert sorted(application for group in result.groups for application in group) == sorted(pythons)
    assert all(result.groups)


@settings(deadline=None)
@given(pins_and_pythons())
def test_the_applications_of_a_group_agree_on_every_package_and_on_python(generated):
    pins, pythons = generated
    for group in find_conflicts(pins, pythons).groups:
        assert all(can_share(first, second, pins, pythons) for first, second in combinations(group, 2))


@settings(deadline=None)
@given(pins_and_pythons())
def test_pairs_are_the_applications_that_cannot_share(generated):
    pins, pythons = generated
    result = find_conflicts(pins, pythons)
    pairs = list(result.pairs())
    assert [(first, second) for first, second, _ in pairs] == [
        pair for pair in combinations(sorted(pythons), 2) if not can_share(*pair, pins, pythons)
    ]
    assert result.count_pairs() == len(pairs)
    assert all(names for _, _, names in pairs)


@settings(deadline=None)
@given(pins_and_pythons(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(generated, random):
    pins, pythons = generated
    shuffled, order = list(pins), list(pythons)
    random.shuffle(shuffled)
    random.shuffle(order)
    again = find_conflicts(shuffled * 2, {application: pythons[application] for application in order})
    assert again == find_conflicts(pins, pythons)


@settings(deadline=None)
@given(pins_and_pythons(), st.integers(0, 5))
def test_any_conflicts_have_lines_and_facts(generated, limit):
    result = find_conflicts(*generated)
    assert lines(result, limit)[-1] == summary(result)
    assert json.loads(json.dumps(facts(result)))["groups"] == [list(group) for group in result.groups]


@settings(deadline=None)
@given(pins_and_pythons())
def test_no_two_groups_can_be_merged(generated):
    pins, pythons = generated
    groups = find_conflicts(pins, pythons).groups
    for group, other in combinations(groups, 2):
        assert not all(can_share(first, second, pins, pythons) for first in group for second in other)


def test_versions_are_sorted_newest_first_and_other_texts_last():
    assert newest_first(["1.9", "1.10", "nightly", "2.0rc1", "", "2.0"]) == [
        "2.0",
        "2.0rc1",
        "1.10",
        "1.9",
        "",
        "nightly",
    ]


def test_two_spellings_of_one_version_do_not_conflict():
    pins = [pin("a", "idna", "3.0.0"), pin("b", "idna", "3.0")]
    assert find_conflicts(pins, {}).conflicts == ()
    (conflict,) = find_conflicts([*pins, pin("c", "idna", "2")], {}).conflicts
    assert [version for version, _ in conflict.versions] == ["3.0", "2"]


def test_two_local_builds_of_a_version_conflict():
    assert find_conflicts([pin("a", "torch", "2.0+cpu"), pin("b", "torch", "2.0+cu121")], {}).conflicts


def test_an_application_without_pins_can_share_with_any_other():
    result = find_conflicts([pin("a", "idna", "3"), pin("b", "idna", "2")], {"a": "3.11", "b": "3.11", "c": "3.11"})
    assert [len(group) for group in result.groups] == [2, 1]


def test_an_application_has_one_version_of_a_package():
    with pytest.raises(ValueError, match="a pins idna twice: 3 and 2"):
        find_conflicts([pin("a", "idna", "2"), pin("a", "idna", "3", "requests")], {})


def test_pythons_differ_by_their_minor_version_if_it_is_known():
    result = find_conflicts([], {"a": "3.11.7", "b": "3.11.2", "c": "3.9.1", "d": ""})
    assert list(result.pairs()) == [("a", "c", (PYTHON,)), ("b", "c", (PYTHON,))]
    assert result.applications_by_python == (("3.11", ("a", "b")), ("3.9", ("c",)))
    assert result.groups == (("a", "b"), ("c", "d"))
    assert find_conflicts([], {"a": "3.11.7", "d": ""}).applications_by_python == ()


def test_a_pair_has_all_names_that_prevent_sharing():
    pins = [pin("a", "idna", "3"), pin("a", "zope", "1"), pin("b", "idna", "2"), pin("b", "zope", "2")]
    result = find_conflicts(pins, {"a": "3.11", "b": "3.12"})
    assert list(result.pairs()) == [("a", "b", (PYTHON, "idna", "zope"))]


def test_the_lines_show_which_application_has_which_version_and_why():
    pins = [
        pin("services/shop", "kombu", "5.3.7", "celery"),
        pin("services/shop", "kombu", "5.3.7"),
        pin("workers/mail", "kombu", "5.2.4", "tasks", "celery"),
        pin("reports", "kombu", "5.2.4"),
    ]
    pythons = {"services/shop": "3.12.1", "workers/mail": "3.12.1", "reports": ""}
    assert lines(find_conflicts(pins, pythons), 10) == (
        "kombu",
        "  5.3.7 in 1 application",
        "    services/shop: direct, from kombu>=1 (a.toml:7); via celery, from celery>=1 (a.toml:7)",
        "  5.2.4 in 2 applications",
        "    reports: direct, from kombu>=1 (a.toml:7)",
        "    workers/mail: via tasks → celery, from tasks>=1 (a.toml:7)",
        "",
        "applications that can share an environment:",
        "  1. reports, workers/mail",
        "  2. services/shop",
        "",
        "1 package conflicts across 3 applications; all 3 applications fit in 2 environments",
    )


def test_long_lists_are_cut_and_say_how_much_is_left_out():
    shown = lines(find_conflicts(example_pins(), PYTHONS), 2)
    assert "and 4 more packages" in shown
    assert "  3.12 in services/accounts, services/search and 2 more applications" in shown
    assert "  and 2 more groups" in shown


@pytest.mark.parametrize(
    ("pythons", "expected"),
    [
        ({}, "no conflicts (0 applications)"),
        ({"a": ""}, "no conflicts (1 application)"),
        ({"a": "", "b": ""}, "no conflicts: all 2 applications fit in 1 environment"),
        (
            {"a": "3.11", "b": "3.12"},
            "2 versions of Python are in use; all 2 applications fit in 2 environments",
        ),
    ],
)
def test_the_summary_fits_the_number_of_conflicts(pythons, expected):
    assert summary(find_conflicts([], pythons)) == expected


def test_a_source_tree_is_shown_as_one():
    shown = lines(find_conflicts([pin("a", "lib", ""), pin("b", "lib", "1")], {}), 9)
    assert shown[:5] == (
        "lib",
        "  1 in 1 application",
        "    b: direct, from lib>=1 (a.toml:7)",
        "  (source tree) in 1 application",
        "    a: direct, from lib>=1 (a.toml:7)",
    )


def test_the_facts_have_every_conflict():
    result = facts(find_conflicts(example_pins(), PYTHONS))
    assert result["packages"] == 23
    assert [conflict["name"] for conflict in result["conflicts"]] == [
        "celery",
        "django",
        "kombu",
        "numpy",
        "pandas",
        "pydantic",
    ]
    assert result["conflicts"][2]["versions"][0] == {
        "version": "5.3.7",
        "pins": [{"application": "services/shop", "declared": "celery>=1 (pyproject.toml:7)", "through": ["celery"]}],
    }
    assert result["pythons"]["reports"] == "3.10"
    assert "tools/import-catalogue" not in result["pythons"]
    assert result["pair_count"] == len(result["pairs"])
    assert {"applications": ["services/accounts", "services/shop"], "names": ["django"]} in result["pairs"]


def test_a_thousand_applications_that_all_disagree():
    pins = [pin(f"a{number:04}", f"p{name}", f"{number}.{name}") for number in range(1000) for name in range(10)]
    result = find_conflicts(pins, {})
    assert len(result.groups) == 1000
    as_json = facts(result)
    assert as_json["pair_count"] == 499_500
    assert len(as_json["pairs"]) == MAX_PAIRS
