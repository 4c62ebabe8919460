"""What version 0.1.0 wrote is taken over: an environment, a store, a lock, a history, an unfinished change.

`KEYS` has the keys of each record as 0.1.0 wrote it. The tests rewrite the records of today with those keys, and hold
the result against the table, so that a key that is renamed once more fails here.
"""

from __future__ import annotations

import json

import pytest

from conftest import versions
from kit.packages import build_wheel
from kit.records import resign, unsign

FORMER_NAMES = {
    "source_id": "identity",
    "fingerprint": "identity",
    "compat_tag": "interpreter_kind",
    "directories": "folders",
    "rewritten": "written",
}
"""What 0.1.0 called a key, by its present name."""

KEYS = {
    "state": {
        *("layout", "venv", "interpreter", "selection", "inexact", "bytecode", "link_mode", "installed"),
        *("interpreter.executable", "interpreter.version", "interpreter.implementation", "interpreter.platform"),
        *("interpreter.free_threaded", "interpreter.markers", "interpreter.identity"),
        *("selection.extras", "selection.groups", "selection.project", "selection.no_dev"),
        *("installed.name", "installed.version", "installed.key", "installed.identity", "installed.written"),
        *("installed.folders", "installed.size"),
    },
    "history": {
        *("number", "time", "command", "changes", "selection", "interpreter", "locked", "lock"),
        *("interpreter.executable", "interpreter.version", "interpreter.implementation", "interpreter.platform"),
        *("interpreter.free_threaded", "interpreter.markers", "interpreter.identity"),
        *("selection.extras", "selection.groups", "selection.project", "selection.no_dev"),
        *("locked.name", "locked.version", "locked.identity", "locked.table"),
    },
    "manifest": {"name", "version", "identity", "interpreter_kind", "pip", "files"},
}

LOCK = """\
lock-version = "1.0"
environments = [
    "python_version == \\"{minor}\\" and implementation_name == \\"cpython\\" and sys_platform == \\"{platform}\\" and \
platform_machine == \\"{machine}\\"",
]
extras = []
dependency-groups = []
default-groups = []
created-by = "isolate"

[[packages]]
name = "gamma"
version = "1.0"

[[packages.wheels]]
name = "gamma-1.0-py3-none-any.whl"
url = "{url}"

[packages.wheels.hashes]
sha256 = "{sha256}"
"""


@pytest.fixture
def former(isolate, application, index, cache):
    """Return an application with two recorded syncs whose records, and those of the store, are as 0.1.0 wrote them."""
    for pin in ("alpha==1.0", "alpha==2.0"):
        app = application({"requirements.txt": f"{pin}\n"})
        isolate("sync", cwd=app)
    records = app / ".venv/.isolate"
    resign(records / "state.json", lambda table: [row.pop("manifest") for row in table["installed"]])
    unsign(app / ".venv")
    assert rewrite(records / "state.json") == KEYS["state"]
    (records / "template.json").rename(records / "skeleton.json")
    for generation in (records / "history").glob("*.json"):
        assert rewrite(generation) == KEYS["history"]
    manifests = [*(records / "manifests").glob("*.json"), *cache.rglob("manifest.json")]
    assert len(manifests) > 4
    for manifest in manifests:
        assert rewrite(manifest) in (KEYS["manifest"], None)
    return app


def rewrite(path):
    """Write the record *path* with the keys of 0.1.0, and return them; None if it has them already."""
    text = path.read_text()
    former = text
    for name, earlier in FORMER_NAMES.items():
        former = former.replace(f'"{name}":', f'"{earlier}":')
    path.chmod(0o644)
    path.write_text(former)
    return set(keys(json.loads(former))) if former != text else None


def keys(table, prefix=""):
    for key, value in table.items():
        yield prefix + key
        rows = value if isinstance(value, list) else [value]
        if not prefix and rows and isinstance(rows[0], dict):
            yield from keys(rows[0], f"{key}.")


def test_an_environment_is_taken_over_and_not_rebuilt(isolate, former):
    before = (former / ".venv/bin/python").lstat().st_ino
    assert isolate("check", "--hash", cwd=former).out.startswith("OK")
    out = isolate("sync", cwd=former).out
    assert "verified .venv against the store (1 package as locked) and signed its records" in out
    assert "nothing to do" in out
    assert isolate("sync", cwd=former).out.startswith("nothing to do")
    (former / "requirements.txt").write_text("alpha==1.1\n")
    assert "~ alpha 2.0 → 1.1" in isolate("sync", cwd=former).out
    assert (former / ".venv/bin/python").lstat().st_ino == before


def test_its_history_is_not_believed_and_a_new_one_begins(isolate, former):
    assert isolate("history", cwd=former).out == "no sync is recorded yet\n"
    isolate("sync", cwd=former)
    (former / "requirements.txt").write_text("alpha==1.1\n")
    isolate("sync", cwd=former)
    isolate("rollback", cwd=former)
    assert versions(former / ".venv") == {"alpha": "2.0"}


def test_its_store_is_used_without_an_index(isolate, former, application):
    second = application({"requirements.txt": "alpha==2.0\n"}, name="second")
    isolate("sync", "--offline", cwd=second)
    assert versions(second / ".venv") == {"alpha": "2.0"}
    assert isolate("store", "verify").out.startswith("OK")


def test_its_lock_is_used_as_it_is(isolate, application, tmp_path):
    import hashlib
    import platform
    import sys

    wheel = build_wheel(tmp_path / "wheels", "gamma", "1.0")
    facts = {
        "minor": "{}.{}".format(*sys.version_info),
        "platform": sys.platform,
        "machine": platform.machine(),
        "url": wheel.as_uri(),
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
    }
    lock = LOCK.format(**facts)
    app = application({"requirements.txt": "gamma\n", "pylock.toml": lock})
    isolate("sync", "--locked", "--python", sys.executable, cwd=app)
    assert (app / "pylock.toml").read_text() == lock
    assert versions(app / ".venv") == {"gamma": "1.0"}


def test_its_unfinished_change_is_not_believed_and_nothing_is_lost(isolate, former):
    site = next((former / ".venv/lib").glob("*/site-packages")).relative_to(former / ".venv")
    work = former / ".venv/.isolate/work"
    (work / "staging").mkdir(parents=True)
    (work / "trash").mkdir()
    (work / "staging/new.py").write_text("")
    steps = [
        ["in", ".isolate/work/staging/new.py", f"{site}/new.py"],
        ["out", f"{site}/alpha", ".isolate/work/trash/1"],
    ]
    (work / "switch.json").write_text(json.dumps(steps))
    isolate("sync", cwd=former)
    assert not (former / ".venv" / site / "new.py").exists()
    assert versions(former / ".venv") == {"alpha": "2.0"}
    assert not work.exists()
    assert (former / ".venv/.isolate/unverified-work-1/staging/new.py").exists()
    assert isolate("sync", cwd=former).out.startswith("nothing to do")
