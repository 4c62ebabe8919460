from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isolate.locked import LockedDistribution
from isolate.plan import InstalledRef, Target, make_plan

NAMES = st.sampled_from(["alpha", "beta", "gamma", "delta"])
KEYS = st.sampled_from(["k1", "k2", "k3"])


def target(name, key, version="1"):
    return Target(locked=LockedDistribution(name=name, version=version, identity=key, table={}), key=key)


def there(name, key, version="1"):
    return InstalledRef(name=name, version=version, key=key)


def plan(targets, installed, **more):
    return make_plan(
        [target(*one) for one in targets],
        {one[0]: there(*one) for one in installed},
        **{"is_stored": lambda _: True, **more},
    )


def lines(made):
    return [change.line for change in made.changes]


def test_nothing_is_to_be_done_where_all_is_there():
    assert plan([("a", "k")], [("a", "k")]).is_empty


def test_each_kind_of_change_has_its_line():
    made = plan(
        [("a", "k", "1"), ("b", "k2", "2"), ("c", "k4", "1")], [("b", "k", "1"), ("c", "k3", "1"), ("d", "k", "1")]
    )
    assert lines(made) == ["+ a 1", "~ b 1 → 2", "~ c 1 (another build)", "- d 1"]


def test_damaged_files_are_put_right():
    made = plan([("a", "k")], [("a", "k")], damaged={"a"})
    assert lines(made) == ["~ a 1 (damaged files put right)"]
    assert (made.remove, [one.name for one in made.install]) == (("a",), ["a"])


def test_strangers_go_unless_they_may_stay():
    stranger = [InstalledRef(name="x", version="9", key=None)]
    assert lines(plan([("a", "k")], [("a", "k")], foreign=stranger)) == ["- x 9"]
    assert plan([("a", "k")], [("a", "k")], foreign=stranger, inexact=True).is_empty


def test_a_stranger_in_the_way_goes_even_then():
    made = plan([("a", "k")], [("a", "k")], foreign=[InstalledRef(name="a", version="9", key=None)], inexact=True)
    assert lines(made) == ["~ a 9 → 1"]


def test_only_what_the_store_lacks_is_fetched():
    made = plan([("a", "k"), ("b", "k2")], [], is_stored=lambda key: key == "k")
    assert [one.name for one in made.fetch] == ["b"]


@given(st.dictionaries(NAMES, KEYS), st.dictionaries(NAMES, KEYS), st.sets(NAMES), st.booleans())
def test_a_plan_leads_to_what_was_wanted(wanted, installed, damaged, inexact):
    made = plan(wanted.items(), installed.items(), damaged=damaged & set(installed), inexact=inexact)
    after = {name: installed[name] for name in made.keep} | {one.name: one.key for one in made.install}
    if inexact:
        after |= {name: key for name, key in installed.items() if name not in wanted and name not in made.remove}
        assert {name: after[name] for name in wanted} == wanted
        assert set(after) == set(wanted) | set(installed)
    else:
        assert after == wanted
    assert not set(made.keep) & set(made.remove)
    again = plan(wanted.items(), after.items(), inexact=inexact)
    assert again.is_empty
