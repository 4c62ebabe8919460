"""An environment whose records this user's isolate did not write is verified, and what matches is kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from conftest import inconsistencies, listing, site, versions
from isolate.environment.file_records import template_files
from isolate.environment.history import read_history
from isolate.environment.records import LOCK, STATE, TEMPLATE, claimed_state, read_record, read_state
from isolate.environment.stamp.read import up_to_date_message
from isolate.environment.stamp.variables import variable_line
from isolate.signed_record import Unverified
from isolate.store.manifest import digest_of
from kit.packages import build_tree, build_wheel
from kit.records import record_text, resign, unsign, write_signed

pytestmark = pytest.mark.store("warm")

VERIFIED = "verified .venv against the store"


@pytest.fixture
def app(isolate, application, index):
    """Return an application whose environment was verified by nobody: its key is lost."""
    app = application({"requirements.txt": "alpha==1.0\npayload==1.0\n"})
    isolate("sync", cwd=app)
    return app


@pytest.fixture
def unverified(app, isolated_home):
    lose_key(isolated_home)
    return app


def lose_key(home):
    (home / ".local/state/isolate/key").unlink()


def inodes(app):
    return {path: path.lstat().st_ino for path in (app / ".venv", *site(app).rglob("*.py"), app / ".venv/bin/alpha")}


def test_what_matches_is_signed_and_stays(isolate, unverified):
    before = inodes(unverified)
    assert isolate("check", cwd=unverified).out.startswith("OK: 2 packages")
    assert f"{VERIFIED} (2 packages as locked) and signed its records\nnothing to do" in (
        isolate("sync", cwd=unverified).out
    )
    assert inodes(unverified) == before
    assert isolate("sync", cwd=unverified).out.startswith("nothing to do")
    assert isolate("check", "--hash", cwd=unverified).out.startswith("OK")
    assert isolate("history", cwd=unverified).out.startswith("2  ")


def test_the_status_of_what_is_right_is_up_to_date(isolate, unverified):
    assert "up to date: yes" in isolate("status", cwd=unverified).out
    (site(unverified) / "alpha/__init__.py").unlink()
    assert "up to date: no" in isolate("status", cwd=unverified).out


def test_looking_and_a_dry_run_write_nothing(isolate, unverified, isolated_home):
    before = listing(unverified, isolated_home)
    for command in ("check", "status", "history"):
        isolate(command, cwd=unverified)
    assert VERIFIED in isolate("sync", "--dry-run", cwd=unverified).out
    assert listing(unverified, isolated_home) == before


def test_a_source_tree_is_installed_again(isolate, application, index, isolated_home, tmp_path):
    """The store does not have it, and its manifest in the environment is none that isolate believes."""
    tree = build_tree(tmp_path / "library", "library", "1.0")
    app = application({"requirements.txt": f"alpha==1.0\n-e {tree}\n"})
    isolate("sync", cwd=app)
    lose_key(isolated_home)
    assert "verified .venv against the store (1 package as locked)" in isolate("sync", cwd=app).out
    assert isolate("check", cwd=app).out.startswith("OK: 2 packages")


@pytest.mark.parametrize("with_store", [True, False])
@pytest.mark.parametrize("copy", [["cp", "-a"], ["tar"]], ids=["cp", "tar"])
def test_an_environment_that_a_cache_restores_is_up_to_date_again(
    isolate, app, isolated_home, cache, tmp_path, copy, with_store
):
    """Another machine has another key, and tar keeps whole seconds of times."""
    if copy == ["tar"]:
        subprocess.run(["tar", "-cf", tmp_path / "saved.tar", ".venv"], cwd=app, check=True)
        shutil.rmtree(app / ".venv")
        subprocess.run(["tar", "-xf", tmp_path / "saved.tar"], cwd=app, check=True)
    else:
        subprocess.run([*copy, app / ".venv", tmp_path / "saved"], check=True)
        shutil.rmtree(app / ".venv")
        subprocess.run([*copy, tmp_path / "saved", app / ".venv"], check=True)
    lose_key(isolated_home)
    if not with_store:
        shutil.rmtree(cache)
    before = inodes(app)
    out = isolate("sync", cwd=app).out
    assert VERIFIED in out
    assert "nothing to do: 2 packages" in out
    assert inodes(app) == before
    assert isolate("sync", cwd=app).out.startswith("nothing to do")
    assert isolate("check", cwd=app).out.startswith("OK")


def test_without_the_store_check_says_what_it_cannot_prove(isolate, unverified, cache):
    shutil.rmtree(cache)
    (unverified / "pylock.toml").write_text(record_text(unverified / ".venv" / LOCK))
    lines = isolate("check", cwd=unverified, status=1).out.splitlines()
    assert {"unverified: alpha (not in the store)", "unverified: payload (not in the store)"} <= {*lines}
    document = json.loads(isolate("check", "--json", cwd=unverified, status=1).out)
    assert {finding["code"] for finding in document["findings"]} == {"unverified"}
    assert "unverified" in isolate("status", cwd=unverified).out


def test_a_dry_run_without_the_store_says_what_it_cannot_verify(isolate, unverified, cache):
    shutil.rmtree(cache)
    out = isolate("sync", "--dry-run", cwd=unverified).out
    assert "not in the store, and therefore not verified before a sync: alpha, payload\n" in out


def edit(path):
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1] + b" ")


def replace_by_link(path):
    content = path.read_bytes()
    path.unlink()
    path.with_name("elsewhere.txt").write_bytes(content)
    path.symlink_to("elsewhere.txt")


def edit_and_keep_times(path):
    status = path.stat()
    edit(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def make_unexecutable(path):
    path.chmod(0o644)


DAMAGES = {
    "an edited module": ("alpha/__init__.py", edit_and_keep_times),
    "a module that is a link": ("alpha/__init__.py", replace_by_link),
    "a missing module": ("alpha/__init__.py", os.unlink),
    "an edited RECORD": ("alpha-1.0.dist-info/RECORD", edit),
    "no RECORD": ("alpha-1.0.dist-info/RECORD", os.unlink),
    "no metadata": ("alpha-1.0.dist-info", shutil.rmtree),
    "an edited script": ("../../../bin/alpha", edit),
    "a script that cannot be run": ("../../../bin/alpha", make_unexecutable),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_what_differs_is_replaced_and_nothing_else(isolate, unverified, kind):
    path, damage = DAMAGES[kind]
    (unverified / ".venv/notes.txt").write_text("mine")
    before = inodes(unverified)
    damage(site(unverified) / path)
    isolate("check", cwd=unverified, status=1)
    out = isolate("sync", cwd=unverified).out
    assert f"{VERIFIED} (1 package as locked) and signed its records" in out
    assert "~ alpha 1.0 (repaired)" in out
    assert inconsistencies(unverified / ".venv") == []
    kept = {path for path in before if "payload" in str(path) or path.name == ".venv"}
    assert {path: inode for path, inode in inodes(unverified).items() if path in kept} == {
        path: before[path] for path in kept
    }
    assert (unverified / ".venv/notes.txt").read_text() == "mine"
    assert isolate("run", "--", "alpha", cwd=unverified).out == "alpha 1.0\n"
    assert isolate("check", "--hash", cwd=unverified).out.startswith("OK")


@pytest.mark.parametrize("path", ["pyvenv.cfg", "bin/activate", "bin/python3", "bin/python"])
def test_a_damaged_file_of_the_environment_itself_means_a_new_one(isolate, unverified, path):
    file = unverified / ".venv" / path
    (unverified / ".venv/notes.txt").write_text("mine")
    file.unlink()
    if path != "bin/python":
        file.write_text("#!/bin/sh\necho evil\n")
        file.chmod(0o755)
    isolate("check", cwd=unverified, status=1)
    assert "recreated .venv" in isolate("sync", cwd=unverified).out
    assert "evil" not in file.read_bytes().decode(errors="replace")
    assert (unverified / ".venv/notes.txt").read_text() == "mine"
    assert isolate("check", "--hash", cwd=unverified).out.startswith("OK")


CODE = {
    "a .pth file": "lib/python/site-packages/evil.pth",
    "a module": "lib/python/site-packages/evil.py",
    "a package": "lib/python/site-packages/evil/__init__.py",
    "a hook": "lib/python/site-packages/sitecustomize.py",
    "a library that hides a module": "lib/python/site-packages/alpha/core.so",
    "a compiled module without a source": "lib/python/site-packages/evil.pyc",
    "metadata": "lib/python/site-packages/Alpha-1.0.dist-info/entry_points.txt",
    "a script": "bin/evil",
    "another interpreter": "bin/python9",
    "the configuration of pip": "pip.conf",
}


@pytest.mark.parametrize("kind", CODE)
def test_code_that_no_package_brought_is_named_and_kept_only_on_request(isolate, unverified, kind):
    path = CODE[kind].replace("lib/python/site-packages", str(site(unverified).relative_to(unverified / ".venv")))
    (unverified / ".venv" / path).parent.mkdir(exist_ok=True)
    (unverified / ".venv" / path).write_text("evil")
    (unverified / ".venv/bin/../notes.txt").write_text("mine")
    assert f"unverified: {path} (no package brought it)" in isolate("check", cwd=unverified, status=1).out
    for command in ("sync", "run -- alpha"):
        error = isolate(*command.split(), cwd=unverified, status=2).err
        assert path in error
        assert "notes.txt" not in error
    assert read_state(unverified / ".venv") is None
    assert VERIFIED in isolate("sync", "--adopt", cwd=unverified).out
    assert (unverified / ".venv" / path).read_text() == "evil"
    assert isolate("sync", cwd=unverified).out.startswith("nothing to do")


def test_a_link_to_a_package_is_code(isolate, unverified, tmp_path):
    (tmp_path / "evil").mkdir()
    (site(unverified) / "evil").symlink_to(tmp_path / "evil")
    assert "evil" in isolate("sync", cwd=unverified, status=2).err


def test_compiled_files_that_the_store_lacks_are_deleted(isolate, unverified):
    module = site(unverified) / "alpha/__init__.py"
    code = "import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2], invalidation_mode=1)"
    evil = unverified / "evil.py"
    evil.write_text("def main():\n    print('evil')\n")
    compiled = module.parent / f"__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
    subprocess.run([sys.executable, "-c", code.replace("=1", "=py_compile.PycInvalidationMode.UNCHECKED_HASH"),
                    evil, compiled], check=True)  # fmt: skip
    assert subprocess.run([unverified / ".venv/bin/alpha"], stdout=subprocess.PIPE, check=True).stdout == b"evil\n"
    assert "unverified: " in isolate("check", cwd=unverified, status=1).out
    assert VERIFIED in isolate("sync", cwd=unverified).out
    assert isolate("run", "--", "alpha", cwd=unverified).out == "alpha 1.0\n"


def test_a_package_that_nobody_declared_is_removed_without_adopting(isolate, unverified, tmp_path):
    wheel = build_wheel(tmp_path / "elsewhere", "extra", "1.0")
    python = unverified / ".venv/bin/python"
    subprocess.run([python, "-Im", "pip", "install", "-q", "--no-index", "--no-compile", wheel], check=True)
    assert "extra-package" in isolate("check", "--json", cwd=unverified, status=1).out
    assert "- extra 1.0" in isolate("sync", cwd=unverified).out
    assert versions(unverified / ".venv") == {"alpha": "1.0", "payload": "1.0"}


def test_an_interpreter_that_an_unverified_record_names_is_not_run(isolate, app, tmp_path):
    evil, proof = tmp_path / "evil", tmp_path / "it ran"
    evil.write_text(f"#!/bin/sh\ntouch '{proof}'\n")
    evil.chmod(0o755)
    unsign(app / ".venv")
    state = app / ".venv" / STATE
    table = json.loads(state.read_text())
    table["interpreter"]["executable"] = str(evil)
    state.write_text(json.dumps(table))
    for command in ("check", "status", "history", "list", "sync --dry-run", "sync"):
        isolate(*command.split(), cwd=app, status=None)
    assert not proof.exists()


def test_options_of_an_unverified_record_are_only_a_hint(isolate, application, index):
    text = '[project]\nname = "a"\nversion = "1"\ndependencies = ["alpha==1.0"]\n'
    app = application({"pyproject.toml": f'{text}[project.optional-dependencies]\nfast = ["delta==1.0"]\n'})
    isolate("sync", "--extra", "fast", cwd=app)
    resign(app / ".venv" / STATE, lambda table: table["selection"]["extras"].extend(["gone", 5, ["x"]]))
    unsign(app / ".venv")
    isolate("run", "--", "python", "-c", "import delta", cwd=app)
    assert set(versions(app / ".venv")) == {"alpha", "delta"}


def test_without_a_key_every_sync_verifies_and_works(isolate, application, index, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/state")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    for _ in range(2):
        assert VERIFIED in isolate("sync", cwd=app).out
    application({"requirements.txt": "alpha==1.1\n"})
    assert "~ alpha 1.0 → 1.1" in isolate("sync", cwd=app).out
    assert isolate("run", "--", "alpha", cwd=app).out == "alpha 1.1\n"
    assert isolate("check", cwd=app).out.startswith("OK")


RECORDS = {STATE: read_state, TEMPLATE: template_files, ".isolate/history/1.json": read_history}


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_that_is_cut_off_or_from_elsewhere_is_not_believed(isolate, app, application, record):
    venv, read = app / ".venv", RECORDS[record]
    other = application({"requirements.txt": "alpha==2.0\n"}, name="other")
    isolate("sync", cwd=other)
    assert read(venv)
    content = (venv / record).read_bytes()
    forged = [content[:length] for length in range(0, len(content), max(1, len(content) // 99))]
    forged += [content.replace(b"isolate-record 1", b"isolate-record 2"), (other / ".venv" / record).read_bytes()]
    for content in forged:
        (venv / record).unlink()
        (venv / record).write_bytes(content)
        assert not read(venv)
    for command in ("check", "status", "history", "sync"):
        assert isolate(command, cwd=app, status=None).status in (0, 1)
    assert isolate("check", "--hash", cwd=app).out.startswith("OK")


def test_the_lock_in_the_environment_is_believed_only_with_a_code(app):
    venv = app / ".venv"
    assert b"alpha" in read_record(venv, LOCK)
    (venv / LOCK).write_text(record_text(venv / LOCK))
    with pytest.raises(Unverified):
        read_record(venv, LOCK)


HOSTILE_PATHS = ("../../../../outside/note", "/etc/passwd", "lib/../../x", "a\nb")


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_a_manifest_that_is_signed_and_leads_elsewhere_reaches_nothing(isolate, app, application, tmp_path, path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/note").write_text("mine")
    manifest = app / ".venv/.isolate/manifests/alpha.json"
    table = json.loads(manifest.read_text())
    table["files"].append([path, 4, 0, "0" * 64, "file"])
    manifest.chmod(0o644)
    manifest.write_text(json.dumps(table))
    digest = digest_of(manifest.read_bytes())
    resign(
        app / ".venv" / STATE,
        lambda state: [row.update(manifest=digest) for row in state["installed"] if row["name"] == "alpha"],
    )
    assert read_state(app / ".venv").installed["alpha"].manifest == digest
    isolate("check", cwd=app, status=1)
    application({"requirements.txt": "payload==1.0\n"})
    isolate("sync", cwd=app)
    assert (tmp_path / "outside/note").read_text() == "mine"


def test_a_stamp_that_is_signed_and_cut_off_answers_nothing(app):
    stamp = app / ".venv/.isolate/stamp"
    lines = record_text(stamp).splitlines(keepends=True)
    assert up_to_date_message(str(app / ".venv"), variable_line) is not None
    for length in range(len(lines)):
        write_signed(stamp, "".join(lines[:length]))
        assert up_to_date_message(str(app / ".venv"), variable_line) is None


@pytest.mark.parametrize("content", ["", "lock-version = ", "[" * 5000, "packages = 1\n"])
def test_a_lock_that_is_signed_and_broken_is_no_lock(isolate, app, application, content):
    write_signed(app / ".venv" / LOCK, content)
    application({"requirements.txt": "alpha==1.1\npayload==1.0\n"})
    isolate("check", cwd=app, status=1)
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "payload": "1.0"}


def test_a_clean_up_keeps_what_an_unverified_environment_uses(isolate, unverified, cache):
    isolate("store", "gc")
    assert [*cache.glob("store-v1/entries/*/alpha-1.0-*")]


def test_an_altered_manifest_hides_nothing(isolate, app, application):
    manifest = app / ".venv/.isolate/manifests/alpha.json"
    table = json.loads(manifest.read_text())
    table["files"] = [row for row in table["files"] if not row[0].endswith("__init__.py")]
    manifest.chmod(0o644)
    manifest.write_text(json.dumps(table))
    assert "manifests/alpha.json" in isolate("check", cwd=app, status=1).out
    application({"requirements.txt": "payload==1.0\n"})
    assert "recreated .venv: .isolate/manifests/alpha.json was modified" in isolate("sync", cwd=app).out
    assert versions(app / ".venv") == {"payload": "1.0"}
    assert isolate("check", cwd=app).out.startswith("OK")


def test_a_claim_is_read_whoever_made_it(app, isolated_home):
    state = read_state(app / ".venv")
    lose_key(isolated_home)
    assert read_state(app / ".venv") is None
    assert claimed_state(app / ".venv") == state
