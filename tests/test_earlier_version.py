"""What version 0.1.0 wrote is taken over: an environment, a store, a lock, a history, an unfinished change.

`KEYS` has the keys of each record as 0.1.0 wrote it. The tests rewrite the records of today with those keys, and hold
the result against the table, so that a key that is renamed once more fails here.
"""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from conftest import versions
from isolate.store.layout import BYTECODE_SUFFIX, key_of
from isolate.store.manifest import read_manifest
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

LONG_KEY = re.compile(r"-[0-9a-f]{64}(\+bytecode)?$")

LATER = ("debug", "libc")
"""What is recorded of an interpreter today, and was not by 0.1.0."""

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
    resign(records / "state.json", without_later_facts)
    unsign(app / ".venv")
    assert rewrite(records / "state.json", short_keys=rename_entries(cache), without=LATER) == KEYS["state"]
    (records / "template.json").rename(records / "skeleton.json")
    for generation in (records / "history").glob("*.json"):
        assert rewrite(generation, without=LATER) == KEYS["history"]
    manifests = [*(records / "manifests").glob("*.json"), *cache.rglob("manifest.json")]
    assert len(manifests) > 4
    for manifest in manifests:
        assert rewrite(manifest) in (KEYS["manifest"], None)
    return app


def without_later_facts(table):
    """Take from the *table* of a state what 0.1.0 did not record."""
    del table["lock_key"]
    for row in table["installed"]:
        del row["manifest"]


def rename_entries(cache):
    """Give the entries of the store the keys of 0.1.0, and return those by the present ones."""
    former = {}
    for entry in [path for path in cache.glob("store-v1/entries/*/*") if not path.name.endswith(BYTECODE_SUFFIX)]:
        made = read_manifest(entry / "manifest.json")
        tag = re.sub(r"^(\w+)-\w+-(\w+)-\w+$", r"\1-\2", made.compat_tag)
        digest = hashlib.sha256(f"{tag} {made.name} {made.source_id}".encode()).hexdigest()[:16]
        key = f"{tag}/{made.name}-{made.version}-{digest}"
        for suffix in ("", BYTECODE_SUFFIX):
            path = entry.with_name(entry.name + suffix)
            if path.exists():
                (path / "manifest.sha256").unlink()
                manifest = path / "manifest.json"
                manifest.chmod(0o644)
                manifest.write_text(manifest.read_text().replace(made.compat_tag, tag))
                new = cache / f"store-v1/entries/{key}{suffix}"
                new.parent.mkdir(exist_ok=True)
                path.rename(new)
        former[key_of(entry)] = key
    return former


def rewrite(path, *, short_keys=None, without=()):
    """Write the record *path* with the keys of 0.1.0, and return them; None if it has them already.

    *short_keys* has what replaces the keys of entries; *without* names facts about the interpreter to leave out.
    """
    text = path.read_text()
    table = json.loads(text)
    for name in without:
        del table["interpreter"][name]
    former = json.dumps(table) if without else text
    for name, earlier in FORMER_NAMES.items():
        former = former.replace(f'"{name}":', f'"{earlier}":')
    for key, short in (short_keys or {}).items():
        former = former.replace(key, short)
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
    assert "unverified: alpha (not in the store)" in isolate("check", "--hash", cwd=former, status=1).out
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


def test_its_entries_serve_nobody_because_their_hashes_may_not_have_been_verified(isolate, former, application, cache):
    second = application({"requirements.txt": "alpha==2.0\n"}, name="second")
    assert "alpha 2.0" in isolate("sync", "--offline", cwd=second, status=2).err
    isolate("sync", cwd=second)
    assert versions(second / ".venv") == {"alpha": "2.0"}
    assert isolate("store", "verify").out.startswith("OK")
    isolate("sync", cwd=former)
    isolate("store", "gc")
    assert all(LONG_KEY.search(path.name) for path in cache.glob("store-v1/entries/*/*"))


def test_its_lock_is_used_as_it_is(isolate, application, tmp_path):
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
