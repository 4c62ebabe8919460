"""Pins whose metadata is cached are locked without a resolver; many pins are fetched before one is needed."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from conftest import inconsistencies, versions
from isolate.declarations.declared import Declarations, DeclaredRequirement, Origin
from isolate.lock.from_cache import resolve_among
from isolate.pip.report import ResolvedDistribution
from kit.index import LocalIndex
from kit.packages import build_wheel

FULL_RESOLUTION = "resolve: by pip: "
"""How `--verbose` starts the line about a resolution of all requirements."""


def declared(*lines):
    origin = Origin(file=Path("requirements.txt"))
    return tuple(DeclaredRequirement(text=line, origin=origin, requirement=Requirement(line)) for line in lines)


ITEMS = {
    "alpha": ResolvedDistribution(name="alpha", version="1.1", url="https://host/alpha-1.1-py3-none-any.whl"),
    "beta": ResolvedDistribution(
        name="beta", version="1.0", url="https://host/beta-1.0-py3-none-any.whl", requires_dist=("alpha<2",)
    ),
}


@pytest.mark.parametrize(
    ("requirements", "constraints", "expected"),
    [
        (["alpha==1.1"], [], ["alpha"]),
        (["beta==1.0"], [], ["beta", "alpha"]),
        (["beta==1.0"], ["alpha<1.1"], None),
        (["beta==1.0"], ['alpha<1.1 ; python_version < "3"'], ["beta", "alpha"]),
        (["beta==1.0", "alpha==1.0"], [], None),
        (["gamma"], [], None),
    ],
)
def test_items_are_a_resolution_if_they_meet_all_requirements_and_constraints(requirements, constraints, expected):
    declarations = Declarations(
        root=Path("/app"), requirements=declared(*requirements), constraints=declared(*constraints)
    )
    items = resolve_among(declarations, ITEMS, {"python_version": "3.12"})
    assert (None if items is None else [item.name for item in items]) == expected


def test_an_item_that_does_not_meet_a_dependency_is_not_a_resolution():
    items = {**ITEMS, "alpha": ITEMS["alpha"]._replace(version="2.0")}
    declarations = Declarations(root=Path("/app"), requirements=declared("beta==1.0"))
    assert resolve_among(declarations, items, {"python_version": "3.12"}) is None


@pytest.fixture
def cached(isolate, application, index):
    """Cache beta 1.0, alpha 1.1, which beta allows, and alpha 2.0, which it does not; return the index."""
    isolate("sync", application({"requirements.txt": "beta==1.0\nalpha==1.1\n"}, name="first"))
    isolate("sync", application({"requirements.txt": "alpha==2.0\n"}, name="second"))
    index.requests.clear()
    return index


def test_cached_pins_need_neither_a_resolver_nor_the_index(isolate, application, cached):
    app = application({"requirements.txt": "alpha==1.1\nbeta==1.0\n"})
    result = isolate("sync", "-v", "--offline", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "beta": "1.0"}
    assert inconsistencies(app / ".venv") == []
    assert cached.requests == []
    assert FULL_RESOLUTION not in result.err
    assert not (app / "pylock.toml").exists()
    isolate("check", cwd=app)


def test_an_unpinned_dependency_needs_a_resolver(isolate, application, cached):
    app = application({"requirements.txt": "beta==1.0\n"})
    assert FULL_RESOLUTION in isolate("sync", "-v", cwd=app).err
    assert versions(app / ".venv") == {"alpha": "1.1", "beta": "1.0"}


def test_conflicting_pins_are_an_error(isolate, application, cached):
    app = application({"requirements.txt": "beta==1.0\nalpha==2.0\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert "conflicting requirements" in message
    assert "beta 1.0 depends on alpha<2 (requirements.txt:1)" in message
    assert not (app / ".venv").exists()


def test_a_constraint_that_excludes_a_pin_is_an_error(isolate, application, cached):
    constraint = 'alpha<1.1 ; python_version >= "3"'  # with a marker, so that the reader of the files accepts it
    files = {"requirements.txt": "-c constraints.txt\nbeta==1.0\nalpha==1.1\n", "constraints.txt": f"{constraint}\n"}
    app = application(files)
    message = isolate("sync", "-v", cwd=app, status=2).err
    assert FULL_RESOLUTION in message
    assert "conflicting requirements" in message
    assert "The user requested (constraint) alpha<1.1" in message
    assert not (app / ".venv").exists()


def test_a_hash_that_differs_is_an_error(isolate, application, cached):
    app = application({"requirements.txt": f"alpha==2.0 --hash=sha256:{'0' * 64}\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert "the artifact of alpha does not have the hash that is demanded" in message
    assert "0" * 64 in message
    assert not (app / ".venv").exists()


def test_the_cache_of_one_index_is_not_used_for_another(isolate, application, cached, tmp_path, monkeypatch):
    build_wheel(tmp_path / "other", "alpha", "2.0", files={"alpha/__init__.py": "from_other_index = True\n"})
    app = application({"requirements.txt": "# from the other index\nalpha==2.0\n"})
    with LocalIndex(tmp_path / "other").serving() as other:
        monkeypatch.setenv("PIP_INDEX_URL", other.url)
        isolate("sync", cwd=app)
        assert "/simple/alpha/" in other.requests
    program = "import alpha; print(alpha.from_other_index)"
    assert isolate("run", "--", "python", "-c", program, cwd=app).out == "True\n"


def test_metadata_without_an_entry_in_the_store_is_not_used(isolate, application, cached, cache):
    for name in ("first", "second"):
        app = application({"requirements.txt": "delta==1.0\n"}, name=name)
        isolate("sync", app)
        for number in range(12):  # until the history no longer has the syncs that need the entries
            (app / "requirements.txt").write_text("delta==1.0\n" if number % 2 else "gamma==1.0\n")
            isolate("sync", "-q", cwd=app)
    isolate("store", "gc")
    app = application({"requirements.txt": "# not the same file\nalpha==2.0\n"})
    assert FULL_RESOLUTION in isolate("sync", "-v", cwd=app).err
    assert versions(app / ".venv") == {"alpha": "2.0"}


PARTS = 9
ALL_PARTS = {f"part{number}": "1.0" for number in range(PARTS)}


@pytest.fixture
def pins(index):
    """Return pins of nine distributions, of which part0 depends on part8, so that no dependency is unpinned."""
    for name in ALL_PARTS:
        build_wheel(index.directory, name, "1.0", requires=["part8<2"] if name == "part0" else [])
    build_wheel(index.directory, "part8", "2.0")
    return [f"{name}==1.0" for name in ALL_PARTS]


def requirements(lines):
    return {"requirements.txt": "".join(f"{line}\n" for line in lines)}


def test_many_pins_are_fetched_without_a_resolver(isolate, application, pins):
    app = application(requirements(pins))
    assert FULL_RESOLUTION not in isolate("sync", "-v", cwd=app).err
    assert versions(app / ".venv") == ALL_PARTS
    assert inconsistencies(app / ".venv") == []
    assert not (app / "pylock.toml").exists()
    isolate("check", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out


def test_of_two_pins_with_markers_the_one_that_applies_is_fetched(isolate, application, pins):
    pair = ['part8==2.0 ; python_version < "3"', 'part8==1.0 ; python_version >= "3"']
    app = application(requirements([*pins[:8], *pair]))
    assert FULL_RESOLUTION not in isolate("sync", "-v", cwd=app).err
    assert versions(app / ".venv") == ALL_PARTS


def test_only_a_changed_pin_is_fetched_again(isolate, application, pins, index):
    app = application(requirements(pins))
    isolate("sync", cwd=app)
    build_wheel(index.directory, "part3", "1.1")
    index.requests.clear()
    application(requirements([*pins[:3], "part3==1.1", *pins[4:]]))
    assert FULL_RESOLUTION not in isolate("sync", "-v", cwd=app).err
    assert versions(app / ".venv") == {**ALL_PARTS, "part3": "1.1"}
    assert {path.split("/")[2] for path in index.requests if path.startswith("/simple/")} == {"part3"}


def test_many_pins_with_an_unpinned_dependency_are_resolved(isolate, application, pins, index):
    build_wheel(index.directory, "more", "1.0", requires=["delta"])
    app = application(requirements([*pins, "more==1.0"]))
    assert FULL_RESOLUTION in isolate("sync", "-v", cwd=app).err
    assert versions(app / ".venv")["delta"] == "1.0"
    assert (app / "pylock.toml").exists()


def test_many_conflicting_pins_are_an_error_of_the_resolver(isolate, application, pins):
    app = application(requirements([*pins[:8], "part8==2.0"]))
    message = isolate("sync", cwd=app, status=2).err
    assert "conflicting requirements" in message
    assert "part0 1.0 depends on part8<2" in message
    assert not (app / ".venv").exists()


def test_an_unknown_pin_among_many_is_an_error_of_the_resolver(isolate, application, pins):
    app = application(requirements([*pins, "absent==1.0"]))
    message = isolate("sync", "-v", cwd=app, status=2).err
    assert "package absent was not found" in message
    assert FULL_RESOLUTION in message


def test_hashes_that_differ_among_many_pins_are_an_error(isolate, application, pins):
    wrong = [f"{line} --hash=sha256:{'0' * 64}" for line in pins]
    assert "hash mismatch" in isolate("sync", cwd=application(requirements(wrong)), status=2).err


@pytest.mark.parametrize("command", [("lock",), ("sync", "--dry-run")])
def test_a_command_that_installs_nothing_fetches_nothing(isolate, application, pins, cache, command):
    isolate(*command, cwd=application(requirements(pins)))
    assert not [*cache.glob("store-v1/entries/*/part*")]


def test_pins_of_several_applications_are_fetched_once(isolate, application, pins, index):
    apps = [application(requirements(pins), name=name) for name in ("one", "two")]
    isolate("sync", "-j", "2", *apps)
    for app in apps:
        assert versions(app / ".venv") == ALL_PARTS
    fetched = [name for name in index.fetched() if name.startswith("part")]
    assert len(fetched) == len(set(fetched)) == PARTS
