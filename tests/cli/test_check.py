from __future__ import annotations

import json
import os
import shutil

import pytest

from conftest import inconsistencies, listing, site, versions
from kit.packages import build_wheel
from kit.records import resign

pytestmark = pytest.mark.store("warm")


@pytest.fixture
def synced(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\ndelta==1.0\n"})
    isolate("sync", cwd=app)
    return app


def test_check_finds_nothing_after_a_sync(isolate, synced):
    before = listing(synced)
    assert isolate("check", cwd=synced).out.startswith("OK: 2 packages")
    assert listing(synced) == before


DRIFTS = {
    "missing file": lambda app, pip: (site(app) / "alpha/__init__.py").unlink(),
    "modified file": lambda app, pip: replace_text(site(app) / "alpha/__init__.py", "x = 1\n"),
    "record missing": lambda app, pip: (site(app) / "alpha-1.0.dist-info/RECORD").unlink(),
    "metadata emptied": lambda app, pip: empty(site(app) / "alpha-1.0.dist-info"),
    "package gone": lambda app, pip: shutil.rmtree(site(app) / "alpha"),
    "script gone": lambda app, pip: (app / ".venv/bin/alpha").unlink(),
    "unmanaged package": lambda app, pip: pip("install", "gamma==1.0"),
    "uninstalled": lambda app, pip: pip("uninstall", "-y", "alpha"),
    "wrong version": lambda app, pip: pip("install", "alpha==1.1"),
    "pip gone": lambda app, pip: shutil.rmtree(site(app) / "pip"),
}


def replace_text(path, text):
    path.unlink()
    path.write_text(text)


def empty(directory):
    shutil.rmtree(directory)
    directory.mkdir()


@pytest.mark.parametrize("kind", DRIFTS)
def test_every_drift_is_found_and_then_repaired_by_a_plain_sync(isolate, synced, kind):
    def pip(*arguments):
        isolate("run", "--no-sync", "--", "python", "-m", "pip", "-q", *arguments, cwd=synced)

    mine = synced / ".venv/mine.txt"
    mine.write_text("mine")
    DRIFTS[kind](synced, pip)
    findings = isolate("check", cwd=synced, status=1).out
    assert "alpha" in findings or "gamma" in findings or "pip" in findings
    assert "nothing to do" not in isolate("sync", cwd=synced).out
    assert isolate("check", cwd=synced).out.startswith("OK")
    assert versions(synced / ".venv") == {"alpha": "1.0", "delta": "1.0"}
    assert inconsistencies(synced / ".venv") == []
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("directory", ["lib", "bin", "lib/python3.11/site-packages", "include", ".isolate/manifests"])
def test_a_deleted_part_of_the_environment_is_restored(isolate, synced, directory):
    directory = directory.replace("python3.11", site(synced).parent.name)
    if directory == "include":
        (synced / ".venv/pyvenv.cfg").unlink()
    shutil.rmtree(synced / ".venv" / directory)
    isolate("check", cwd=synced, status=1)
    isolate("sync", "--verify", cwd=synced)
    assert isolate("check", cwd=synced).out.startswith("OK")
    assert versions(synced / ".venv") == {"alpha": "1.0", "delta": "1.0"}


REBUILDS = {
    "site-packages are gone": (
        lambda app: shutil.rmtree(site(app)),
        "missing file: its site-packages directory is missing",
    ),
    "a file of its own is gone": (
        lambda app: (app / ".venv/pyvenv.cfg").unlink(),
        "missing file: pyvenv.cfg was deleted",
    ),
    "a file of its own is edited": (
        lambda app: (app / ".venv/pyvenv.cfg").write_text("home = /usr/bin\n"),
        "modified file: pyvenv.cfg was modified",
    ),
    "its interpreter was replaced": (
        lambda app: resign(app / ".venv/.isolate/state.json", replace_interpreter),
        "python changed: ",
    ),
}


def replace_interpreter(table):
    table["interpreter"]["identity"] = "fingerprint of a replaced binary"


@pytest.mark.parametrize("kind", REBUILDS)
def test_the_reason_to_recreate_an_environment_is_its_finding(isolate, synced, kind):
    spoil, expected = REBUILDS[kind]
    spoil(synced)
    findings = isolate("check", cwd=synced, status=1).out.splitlines()
    assert findings[0].startswith(expected)
    document = json.loads(isolate("sync", "--verify", "--json", cwd=synced).out)
    assert findings[0].partition(": ")[2] == document["rebuilt"]
    isolate("check", cwd=synced)


def test_an_edit_in_place_is_found_by_check_and_repaired_by_sync_verify(isolate, synced):
    module = site(synced) / "alpha/__init__.py"
    module.chmod(0o644)
    with module.open("a") as file:
        file.write("edited = True\n")
    assert "modified file: " in isolate("check", cwd=synced, status=1).out
    isolate("sync", "--verify", cwd=synced)
    assert "edited" not in module.read_text()
    isolate("check", cwd=synced)


def edit_hidden(path, old, new):
    """Edit a file without a change of its size and mtime."""
    status = path.stat()
    path.chmod(status.st_mode | 0o200)
    path.write_text(path.read_text().replace(old, new))
    path.chmod(status.st_mode)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.store("warm", own_pip=True)
def test_an_edit_that_keeps_size_and_mtime_is_found_by_its_hash_and_repaired_by_sync_verify(isolate, synced):
    modules = [site(synced) / f"{name}/__init__.py" for name in ("alpha", "delta", "pip")]
    texts = [module.read_text() for module in modules]
    for module in modules:
        edit_hidden(module, "def", "dfe")
        edit_hidden(module, "a", "b")
    isolate("check", cwd=synced)
    findings = isolate("check", "--hash", cwd=synced, status=1).out
    assert findings.count("modified file: ") == 3
    assert "run `isolate sync --verify` to fix" in findings
    isolate("sync", "--verify", cwd=synced)
    assert [module.read_text() for module in modules] == texts
    isolate("check", "--hash", cwd=synced)
    isolate("store", "verify")


def test_an_environment_is_recreated_for_a_hidden_edit_of_a_file_of_its_own(isolate, synced):
    edit_hidden(synced / ".venv/pyvenv.cfg", "false", "flase")
    assert "modified file: pyvenv.cfg" in isolate("check", "--hash", cwd=synced, status=1).out
    isolate("sync", "--verify", cwd=synced)
    isolate("check", "--hash", cwd=synced)


def test_sync_verify_does_not_link_a_hidden_edit_from_the_store(isolate, synced, application):
    edit_hidden(site(synced) / "alpha/__init__.py", "alpha", "alphb")
    two = application({"requirements.txt": "alpha==1.0\n"}, name="two")
    isolate("sync", "--verify", cwd=two)
    isolate("check", "--hash", cwd=two)


def test_an_upgrade_with_verify_keeps_no_damaged_file(isolate, application, index):
    for version in ("1.0", "1.1"):
        build_wheel(index.directory, "epsilon", version, files={"epsilon/same.py": "x = 'same'\n"})
    app = application({"requirements.txt": "epsilon==1.0\n"})
    isolate("sync", "--link-mode", "copy", cwd=app)
    edit_hidden(site(app) / "epsilon/same.py", "same", "smae")
    application({"requirements.txt": "epsilon==1.1\n"})
    isolate("sync", "--verify", cwd=app)
    isolate("check", "--hash", cwd=app)


def test_check_names_the_command_that_fixes_its_findings(isolate, synced, application):
    with writable(site(synced) / "alpha/__init__.py").open("a") as file:
        file.write("edited = True\n")
    assert "run `isolate sync --verify` to fix" in isolate("check", cwd=synced, status=1).out
    isolate("sync", "--verify", cwd=synced)
    application({"requirements.txt": "alpha==1.1\n"})
    assert "run `isolate sync` to fix" in isolate("check", cwd=synced, status=1).out


def writable(path):
    path.chmod(0o644)
    return path


def test_the_same_version_from_a_different_build_is_a_finding(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\nbeta\n"})
    isolate("sync", cwd=app)
    build_wheel(index.directory, "alpha", "1.0", files={"alpha/__init__.py": "rebuilt = True\n"})
    isolate("lock", "--upgrade", cwd=app)
    assert "wrong build: alpha 1.0" in isolate("check", cwd=app, status=1).out
    assert "~ alpha 1.0 (different build)" in isolate("sync", cwd=app).out
    assert "rebuilt" in (site(app) / "alpha/__init__.py").read_text()


def test_a_stale_lock_and_a_missing_environment_are_findings(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    out = isolate("check", cwd=app, status=1).out
    assert "missing environment: " in out
    assert "stale lock: there is no lock" in out


def test_findings_are_in_the_json_document(isolate, synced):
    (site(synced) / "alpha/__init__.py").unlink()
    document = json.loads(isolate("check", "--json", cwd=synced, status=1).out)
    assert document["findings"][0]["code"] == "missing-file"
    assert document["exit_code"] == 1


def test_only_damaged_packages_are_repaired(isolate, synced, index):
    delta = (site(synced) / "delta").stat().st_ino
    (site(synced) / "alpha/__init__.py").unlink()
    asked = len(index.requests)
    assert "~ alpha 1.0 (repaired)" in isolate("sync", cwd=synced).out
    assert (site(synced) / "delta").stat().st_ino == delta
    assert len(index.requests) == asked


def test_before_the_first_sync_the_only_finding_is_the_missing_environment(isolate, application):
    app = application({"requirements.txt": "alpha==1.0\n"})
    findings = json.loads(isolate("check", "--json", cwd=app, status=1).out)["findings"]
    assert [finding["code"] for finding in findings] == ["missing-environment"]
