from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isolate.environment.verify import DamagedFile
from isolate.findings import damage_findings, lock_findings, plan_findings, remedy
from isolate.locked import LockedDistribution
from isolate.plan import InstalledRef, InstalledState, Target, make_plan

NAMES = st.sampled_from(["alpha", "beta", "gamma", "delta"])
KEYS = st.sampled_from(["k1", "k2", "k3"])


def target(name, key, version="1"):
    return Target(locked=LockedDistribution(name=name, version=version, source_id=key, table={}), key=key)


def installed_ref(name, key, version="1"):
    return InstalledRef(name=name, version=version, key=key)


def unmanaged_ref(name, version="9"):
    return InstalledRef(name=name, version=version, key=None)


def plan(targets, managed, *, unmanaged=(), damaged=(), is_stored=lambda _: True, inexact=False):
    installed = InstalledState(
        managed={ref[0]: installed_ref(*ref) for ref in managed}, unmanaged=tuple(unmanaged), damaged=damaged
    )
    return make_plan([target(*item) for item in targets], installed, is_stored=is_stored, inexact=inexact)


def lines(made):
    return [change.line for change in made.changes]


def test_the_plan_is_empty_if_everything_is_installed():
    assert plan([("a", "k")], [("a", "k")]).is_empty


def test_each_kind_of_change_has_its_line():
    made = plan(
        [("a", "k", "1"), ("b", "k2", "2"), ("c", "k4", "1")], [("b", "k", "1"), ("c", "k3", "1"), ("d", "k", "1")]
    )
    assert lines(made) == ["+ a 1", "~ b 1 → 2", "~ c 1 (different build)", "- d 1"]


def test_damaged_distributions_are_repaired():
    made = plan([("a", "k")], [("a", "k")], damaged={"a"})
    assert lines(made) == ["~ a 1 (repaired)"]
    assert (made.remove, [target.name for target in made.install]) == (("a",), ["a"])


def test_unmanaged_distributions_are_removed_unless_inexact():
    unmanaged = [unmanaged_ref("x")]
    assert lines(plan([("a", "k")], [("a", "k")], unmanaged=unmanaged)) == ["- x 9"]
    assert plan([("a", "k")], [("a", "k")], unmanaged=unmanaged, inexact=True).is_empty


def test_an_unmanaged_distribution_with_the_name_of_a_target_is_replaced_even_if_inexact():
    made = plan([("a", "k")], [("a", "k")], unmanaged=[unmanaged_ref("a")], inexact=True)
    assert lines(made) == ["~ a 9 → 1"]


def test_only_what_the_store_lacks_is_fetched():
    made = plan([("a", "k"), ("b", "k2")], [], is_stored=lambda key: key == "k")
    assert [target.name for target in made.fetch] == ["b"]


@given(st.dictionaries(NAMES, KEYS), st.dictionaries(NAMES, KEYS), st.sets(NAMES), st.booleans())
def test_a_plan_leads_to_the_targets(wanted, installed, damaged, inexact):
    made = plan(wanted.items(), installed.items(), damaged=damaged & set(installed), inexact=inexact)
    after = {name: installed[name] for name in made.keep} | {target.name: target.key for target in made.install}
    if inexact:
        after |= {name: key for name, key in installed.items() if name not in wanted and name not in made.remove}
        assert {name: after[name] for name in wanted} == wanted
        assert set(after) == set(wanted) | set(installed)
    else:
        assert after == wanted
    assert not set(made.keep) & set(made.remove)
    again = plan(wanted.items(), after.items(), inexact=inexact)
    assert again.is_empty


def finding_lines(findings):
    return [(finding.code, finding.line) for finding in findings]


def test_each_change_but_a_repair_is_a_finding():
    unmanaged = [unmanaged_ref("e", "1")]
    made = plan(
        [("a", "k"), ("b", "k2", "2"), ("c", "k4"), ("d", "k"), ("e", "k")],
        [("b", "k"), ("c", "k3"), ("d", "k"), ("f", "k")],
        damaged={"d"},
        unmanaged=unmanaged,
    )
    assert finding_lines(plan_findings(made, unmanaged)) == [
        ("missing-package", "missing package: a 1"),
        ("wrong-version", "wrong version: b 1 (expected 2)"),
        ("wrong-build", "wrong build: c 1 (expected another artifact)"),
        ("wrong-build", "wrong build: e 1 (installed by another tool)"),
        ("extra-package", "extra package: f 1"),
    ]


def test_each_damaged_file_and_each_reason_of_a_stale_lock_is_a_finding():
    damaged_files = [
        DamagedFile(name="a", path="lib/a.py", code="modified-file"),
        DamagedFile("", "pyvenv.cfg", "missing-file"),
    ]
    assert finding_lines(damage_findings(damaged_files)) == [
        ("modified-file", "modified file: lib/a.py (a)"),
        ("missing-file", "missing file: pyvenv.cfg (the environment itself)"),
    ]
    assert finding_lines(lock_findings(["there is no lock"])) == [("stale-lock", "stale lock: there is no lock")]


@pytest.mark.parametrize(
    ("code", "command"),
    [
        ("missing-package", "isolate sync"),
        ("missing-file", "isolate sync --verify"),
        ("modified-file", "isolate sync --verify"),
    ],
)
def test_a_damaged_file_takes_a_sync_that_verifies(code, command):
    findings = lock_findings(["there is no lock"]) + damage_findings([DamagedFile(name="a", path="a.py", code=code)])
    assert remedy(findings) == command
