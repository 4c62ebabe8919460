"""Files of an environment run with nobody else's rights, and only their owner may change them, whatever the umask."""

from __future__ import annotations

import grp
import json
import os
import pwd
import stat
import subprocess
import sys

import pytest

from conftest import SOURCE
from isolate import permissions
from isolate.permissions import is_shared_group, is_unsafe_file, others_may_write

pytestmark = pytest.mark.store("warm")

UNSAFE = [0o4755, 0o2755, 0o1644, 0o666, 0o646]


def codes(outcome):
    return [finding["code"] for finding in json.loads(outcome.out)["findings"]]


@pytest.fixture
def synced(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    return app


def module(app):
    return next(app.glob(".venv/lib/*/site-packages/alpha/__init__.py"))


@pytest.mark.parametrize("mode", UNSAFE, ids=oct)
@pytest.mark.parametrize("link_mode", ["hardlink", "copy"])
def test_an_unsafe_mode_is_found_and_repaired(isolate, synced, mode, link_mode):
    isolate("sync", "--link-mode", link_mode, cwd=synced)
    module(synced).chmod(mode)
    assert codes(isolate("check", "--json", cwd=synced, status=1)) == ["unsafe-mode"]
    assert "run `isolate sync --verify`" in isolate("check", cwd=synced, status=1).out
    isolate("sync", "--verify", cwd=synced)
    isolate("check", cwd=synced)
    assert stat.S_IMODE(module(synced).stat().st_mode) == 0o444


@pytest.mark.parametrize("path", ["bin/alpha", "lib/*/site-packages/alpha-1.0.dist-info/RECORD"])
def test_files_that_are_written_for_one_environment_are_looked_at_too(isolate, synced, path):
    next((synced / ".venv").glob(path)).chmod(0o777)
    assert codes(isolate("check", "--json", cwd=synced, status=1)) == ["unsafe-mode"]
    isolate("sync", "--verify", cwd=synced)
    isolate("check", cwd=synced)


def test_a_setuid_bit_in_the_store_reaches_no_environment(isolate, application, synced, cache):
    stored = next(cache.glob("store-v1/entries/*/alpha-1.0-*/files/lib/*/site-packages/alpha/__init__.py"))
    stored.chmod(0o4755)
    other = application({"requirements.txt": "alpha==1.0\n"}, name="other")
    isolate("sync", "--link-mode", "copy", cwd=other)
    assert stat.S_IMODE(module(other).stat().st_mode) == 0o444


def test_a_setuid_entry_is_damaged(isolate, synced, cache):
    next(cache.glob("store-v1/entries/*/alpha-1.0-*/files/lib/*/site-packages/alpha/__init__.py")).chmod(0o2555)
    assert "alpha/__init__.py is damaged" in isolate("store", "verify", cwd=synced, status=1).out


@pytest.mark.parametrize(
    "directory", ["../.venv", "bin", ".isolate", "lib/*/site-packages", "lib/*/site-packages/alpha"]
)
def test_a_directory_in_which_others_may_replace_files_is_found_and_repaired(isolate, synced, directory):
    next(synced.glob(f".venv/{directory}")).chmod(0o777)
    found = isolate("check", cwd=synced, status=1).out
    assert "unsafe mode: other users may write to " in found
    assert "run `isolate sync --verify`" in found
    isolate("sync", "--verify", cwd=synced)
    isolate("check", cwd=synced)


def modes_below(*roots, links=False):
    for root in roots:
        for path in [root, *root.rglob("*")]:
            if links or not path.is_symlink():
                yield path, stat.S_IMODE(path.lstat().st_mode)


def test_a_umask_while_the_store_is_filled_hides_nothing_from_others(isolate, application, index, tmp_path):
    environ = {"ISOLATE_CACHE_DIR": str(tmp_path / "new")}
    app = application({"requirements.txt": "alpha==1.0\n"})
    with_umask(0o077, "sync", str(app), environ=environ)
    other = application({"requirements.txt": "alpha==1.0\n"}, name="other")
    isolate("sync", "--offline", cwd=other, env=environ)
    for venv in (app / ".venv", other / ".venv"):
        assert [path for path, mode in modes_below(venv) if not mode & stat.S_IROTH] == []


def test_a_umask_of_0_lets_others_write_nowhere(application, index, tmp_path):
    environ = {"ISOLATE_CACHE_DIR": str(tmp_path / "new")}
    app = application({"requirements.txt": "alpha==1.0\n"})
    with_umask(0, "sync", str(app), environ=environ)
    store = tmp_path / "new/store-v1"
    assert [path for path, mode in modes_below(app / ".venv", store) if mode & (stat.S_IWOTH | stat.S_IWGRP)] == []
    with_umask(0, "check", str(app), environ=environ)


def test_a_template_that_was_made_with_a_narrow_umask_is_widened(isolate, application, cache, index):
    for template in cache.glob("store-v1/skeletons/*/skeleton.json"):
        rows = json.loads(template.read_text())
        template.write_text(json.dumps([[path, kind, text, mode & 0o700] for path, kind, text, mode in rows]))
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    assert stat.S_IMODE((app / ".venv/pyvenv.cfg").stat().st_mode) == 0o644
    assert stat.S_IMODE((app / ".venv/bin/activate").stat().st_mode) == 0o644


def test_a_command_that_isolate_runs_has_the_umask_of_the_user(synced):
    ran = with_umask(0o027, "run", "--no-sync", "--", "python", "-c", "import os; print(oct(os.umask(0)))", cwd=synced)
    assert ran.stdout == "0o27\n"


def with_umask(umask, *arguments, environ=None, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "isolate", *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCE), **(environ or {})},
        umask=umask,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )


class Users:
    """The user and group databases of a machine."""

    users = (("root", 0, 0), ("me", 1000, 1000), ("other", 1001, 100), ("friend", 1002, 1002))
    groups = (("me", 1000, []), ("users", 100, []), ("team", 50, ["me", "friend"]), ("mine", 51, ["me", "root"]))

    @classmethod
    def install(cls, monkeypatch):
        monkeypatch.setattr(
            pwd, "getpwall", lambda: [pwd.struct_passwd((n, "", u, g, "", "", "")) for n, u, g in cls.users]
        )
        monkeypatch.setattr(grp, "getgrgid", cls.group)
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        is_shared_group.cache_clear()

    @classmethod
    def group(cls, gid):
        for name, number, members in cls.groups:
            if number == gid:
                return grp.struct_group((name, "", gid, members))
        raise KeyError(gid)


@pytest.mark.parametrize(
    ("gid", "shared"), [(0, False), (1000, False), (51, False), (999, False), (100, True), (50, True)]
)
def test_a_group_is_shared_if_somebody_else_is_in_it(monkeypatch, gid, shared):
    Users.install(monkeypatch)
    assert is_shared_group(gid, 1000) is shared
    assert others_may_write(status(stat.S_IFDIR | 0o775, gid)) is shared
    assert is_unsafe_file(status(stat.S_IFREG | 0o664, gid)) is shared
    assert not is_unsafe_file(status(stat.S_IFREG | 0o755, gid))
    assert not others_may_write(status(stat.S_IFDIR | 0o1777, gid))
    is_shared_group.cache_clear()


def status(mode, gid):
    return os.stat_result((mode, 0, 0, 1, 1000, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(("kind", "kept"), [("ext4", True), ("9p", False), ("vfat", False), ("overlay", True)])
def test_a_mode_that_the_file_system_makes_up_says_nothing(monkeypatch, tmp_path, kind, kept):
    device = os.stat(tmp_path).st_dev
    mounts = tmp_path / "mountinfo"
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts.write_text(f"1 0 0:1 / / rw - tmpfs none rw\n2 1 {number} /a\\040b /mnt/c rw - {kind} C: rw\n\n")
    monkeypatch.setattr(permissions, "MOUNTS", str(mounts))
    permissions.keeps_modes.cache_clear()
    mounts.chmod(0o777)
    assert is_unsafe_file(mounts.stat()) is kept
    assert others_may_write(mounts.stat()) is kept
    permissions.keeps_modes.cache_clear()


def test_a_system_that_does_not_list_its_mounts_keeps_modes(monkeypatch, tmp_path):
    monkeypatch.setattr(permissions, "MOUNTS", str(tmp_path / "missing"))
    permissions.keeps_modes.cache_clear()
    assert permissions.keeps_modes(1)
    permissions.keeps_modes.cache_clear()
