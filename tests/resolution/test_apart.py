"""Extras and groups that exclude each other are locked apart; one that cannot be resolved here stops no other."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from conftest import versions
from kit.packages import build_sdist, build_wheel
from kit.toml import tomllib


def project(*dependencies, extras=None, groups=None):
    lines = ["[project]", 'name = "app"', 'version = "1"', f"dependencies = {list(dependencies)!r}"]
    for title, parts in (("project.optional-dependencies", extras), ("dependency-groups", groups)):
        lines += [f"[{title}]", *(f"{name} = {list(requirements)!r}" for name, requirements in (parts or {}).items())]
    return {"pyproject.toml": "\n".join([*lines, ""])}


def locked(app):
    return tomllib.loads((app / "pylock.toml").read_text())


def entries(app):
    return [(package["name"], package["version"], package.get("marker")) for package in locked(app)["packages"]]


@pytest.fixture
def app(application, index):
    """Return an application with extras that exclude each other, for torch 1 and 2, and with others that do not."""
    for version in ("1.0", "2.0"):
        build_wheel(index.directory, "torch", version)
    return application(
        project(
            "alpha<2",
            extras={"cpu": ["torch==1.0"], "gpu": ["torch==2.0"], "web": ["gamma"]},
            groups={"dev": ["delta"]},
        )
    )


def test_each_of_two_extras_that_exclude_each_other_works(isolate, app):
    assert "locked apart" in isolate("sync", cwd=app).out
    base = {"alpha": "1.1", "delta": "1.0"}
    assert versions(app / ".venv") == base
    content = (app / "pylock.toml").read_bytes()
    for extra, version in (("cpu", "1.0"), ("gpu", "2.0")):
        isolate("sync", "--locked", "--extra", extra, "--extra", "web", cwd=app)
        assert versions(app / ".venv") == {**base, "torch": version, "gamma": "1.0"}
        isolate("check", cwd=app)
    isolate("lock", "--check", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out or versions(app / ".venv") == base
    assert (app / "pylock.toml").read_bytes() == content


def test_the_entries_have_disjoint_markers_and_nothing_else_has_one_that_it_did_not_have(isolate, app):
    isolate("lock", cwd=app)
    assert entries(app) == [
        ("alpha", "1.1", None),
        ("delta", "1.0", '"dev" in dependency_groups'),
        ("gamma", "1.0", '"web" in extras'),
        ("torch", "1.0", '"cpu" in extras'),
        ("torch", "2.0", '"gpu" in extras'),
    ]
    assert locked(app)["tool"]["isolate"] == {
        "selections": [
            {"extras": ["cpu", "web"], "groups": ["dev"]},
            {"extras": ["gpu", "web"], "groups": ["dev"]},
        ]
    }


def test_extras_that_exclude_each_other_are_refused_together_with_the_reason(isolate, app):
    isolate("lock", cwd=app)
    before = (app / "pylock.toml").read_bytes()
    error = isolate("sync", "--extra", "cpu", "--extra", "gpu", cwd=app, status=2).err
    assert "torch==1.0" in error
    assert "torch==2.0" in error
    assert "not locked together" in isolate("sync", "--locked", "--extra=cpu", "--extra=gpu", cwd=app, status=2).err
    assert (app / "pylock.toml").read_bytes() == before


def test_locking_again_writes_the_same_bytes_whoever_asks_for_what(isolate, app):
    isolate("lock", cwd=app)
    before = (app / "pylock.toml").read_bytes()
    assert "up to date" in isolate("lock", cwd=app).out
    (app / "pylock.toml").unlink()
    isolate("sync", "--extra", "gpu", cwd=app)
    assert (app / "pylock.toml").read_bytes() == before


def test_other_tools_install_each_extra_and_refuse_both(isolate, app, tmp_path):
    isolate("lock", cwd=app)
    program = (
        "import sys; from packaging.pylock import Pylock\n"
        "from isolate.declarations.toml_file import tomllib\n"
        "lock = Pylock.from_dict(tomllib.load(open(sys.argv[1], 'rb')))\n"
        "print(sorted(str(p.version) for p, _ in lock.select(extras=sys.argv[2:]) if p.name == 'torch'))"
    )
    for extras, expected in ((["cpu"], "['1.0']"), (["gpu", "web"], "['2.0']"), ([], "[]")):
        command = [sys.executable, "-c", program, app / "pylock.toml", *extras]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout.strip() == expected, done.stderr
    command = [sys.executable, "-c", program, app / "pylock.toml", "cpu", "gpu"]
    assert "Multiple packages" in subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_an_extra_that_needs_another_version_than_the_base_leaves_the_base_alone(isolate, application, index):
    for version in ("1.0", "2.0"):
        build_wheel(index.directory, "torch", version)
    groups = {"old": ["torch<2"], "new": ["torch>=2"]}
    app = application(project("torch", groups=groups))
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"torch": "2.0"}
    assert entries(app) == [
        ("torch", "1.0", '"old" in dependency_groups'),
        ("torch", "2.0", '"old" not in dependency_groups or "new" in dependency_groups'),
    ]
    for group, version in (("old", "1.0"), ("new", "2.0"), ("old", "1.0")):
        isolate("sync", "--locked", "--group", group, cwd=app)
        assert versions(app / ".venv") == {"torch": version}


@pytest.fixture
def broken(application, index):
    """Return an application with an extra that names no package and one that does not build."""
    build_sdist(index.directory, "unbuildable", "1.0", on_build="raise SystemExit('no compiler')")
    extras = {"web": ["gamma"], "missing": ["does-not-exist"], "native": ["unbuildable"]}
    return application(project("alpha", extras=extras, groups={"dev": ["delta"]}))


def test_an_extra_that_nobody_asked_for_and_that_cannot_be_resolved_stops_no_sync(isolate, broken):
    lines = isolate("sync", cwd=broken).out.splitlines()
    left_out = [line for line in lines if line.startswith("left out of the lock")]
    assert [line.split(":")[1].strip() for line in left_out] == ["extra missing", "extra native"]
    assert versions(broken / ".venv") == {"alpha": "2.0", "delta": "1.0"}
    assert locked(broken)["extras"] == ["web"]
    assert locked(broken)["tool"]["isolate"] == {
        "left-out": [
            {"extra": "missing", "requires": ["does-not-exist"]},
            {"extra": "native", "requires": ["unbuildable"]},
        ]
    }
    isolate("check", cwd=broken)
    isolate("lock", "--check", cwd=broken)
    assert "up to date" in isolate("lock", cwd=broken).out
    isolate("sync", "--locked", "--extra", "web", cwd=broken)


def test_an_extra_that_cannot_be_resolved_fails_with_the_real_reason_if_it_is_asked_for(isolate, broken):
    isolate("sync", cwd=broken)
    before = (broken / "pylock.toml").read_bytes()
    assert "does-not-exist" in isolate("sync", "--extra", "missing", cwd=broken, status=2).err
    assert "unbuildable" in isolate("sync", "--extra", "native", cwd=broken, status=2).err
    assert "could not be resolved" in isolate("sync", "--locked", "--extra", "missing", cwd=broken, status=2).err
    assert (broken / "pylock.toml").read_bytes() == before


def test_an_extra_that_was_left_out_is_locked_once_it_can_be_resolved(isolate, broken, index):
    isolate("sync", cwd=broken)
    build_wheel(index.directory, "does-not-exist", "1.0")
    assert "nothing to do" in isolate("sync", cwd=broken).out
    isolate("sync", "--extra", "missing", cwd=broken)
    assert versions(broken / ".venv") == {"alpha": "2.0", "delta": "1.0", "does_not_exist": "1.0"}
    assert locked(broken)["extras"] == ["web", "missing"]
    assert [row["extra"] for row in locked(broken)["tool"]["isolate"]["left-out"]] == ["native"]
    isolate("sync", "--locked", "--extra", "web", "--extra", "missing", cwd=broken)


def test_an_extra_that_was_left_out_and_is_declared_differently_makes_the_lock_stale(isolate, broken):
    isolate("sync", cwd=broken)
    text = (broken / "pyproject.toml").read_text()
    (broken / "pyproject.toml").write_text(text.replace("does-not-exist", "beta"))
    assert "the extra missing is not locked" in isolate("lock", "--check", cwd=broken, status=1).out
    isolate("sync", cwd=broken)
    assert locked(broken)["extras"] == ["web", "missing"]


def test_a_combination_is_locked_when_it_is_asked_for(isolate, application, index):
    for version in ("1.0", "2.0"):
        build_wheel(index.directory, "one", version, requires=[f"two=={version}"])
        build_wheel(index.directory, "two", version)
    extras = {"a": ["one==1.0"], "b": ["one==2.0"], "c": ["two"]}
    app = application(project(extras=extras))
    isolate("sync", cwd=app)
    before = entries(app)
    error = isolate("sync", "--locked", "--extra", "b", "--extra", "c", cwd=app, status=None)
    if error.status:
        assert "not locked together" in error.err
    isolate("sync", "--extra", "b", "--extra", "c", cwd=app)
    assert versions(app / ".venv") == {"one": "2.0", "two": "2.0"}
    isolate("sync", "--locked", "--extra", "a", "--extra", "c", cwd=app, status=None)
    isolate("lock", "--check", cwd=app)
    assert before


def test_a_group_that_contradicts_the_base_is_left_out(isolate, application, index):
    app = application(project("alpha==2.0", groups={"old": ["alpha==1.0"]}))
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0"}
    error = isolate("sync", "--group", "old", cwd=app, status=2).err
    assert "alpha==1.0" in error
    assert "alpha==2.0" in error


def test_what_is_asked_for_and_the_base_still_fail(isolate, application, index):
    app = application(project("alpha", groups={"dev": ["does-not-exist"], "web": ["gamma"]}))
    assert "does-not-exist" in isolate("sync", cwd=app, status=2).err
    isolate("sync", "--no-dev", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0"}
    app = application(project("does-not-exist", extras={"web": ["gamma"]}))
    assert "does-not-exist" in isolate("sync", "--no-dev", cwd=app, status=2).err


def test_everything_that_goes_together_is_resolved_by_one_run_of_pip(isolate, application, index):
    app = application(project("alpha", extras={"web": ["gamma"]}, groups={"dev": ["delta"]}))
    log = isolate("lock", "-v", cwd=app).err
    assert log.count("--dry-run") == 1
    assert "tool" not in locked(app)


def test_the_facts_name_what_is_left_out(isolate, broken):
    document = json.loads(isolate("sync", "--json", cwd=broken).out)
    assert [note.partition(":")[0] for note in document["lock"]["notes"]] == ["left out of the lock"] * 2


def test_an_index_that_fails_leaves_nothing_out(isolate, application, index):
    app = application(project("alpha", extras={"web": ["gamma"]}))
    index.misbehave("/simple/gamma", "500")
    assert "answered 500" in isolate("sync", cwd=app, status=2).err
    assert not (app / "pylock.toml").exists()
    index.behave()
    isolate("sync", cwd=app)
    assert locked(app)["extras"] == ["web"]
    assert "tool" not in locked(app)
