"""A store that other users could change is not used in its default place, and not silently in any other."""

from __future__ import annotations

import os
import stat

import pytest

from conftest import versions
from isolate.errors import UnusableStore
from isolate.store.store import open_store
from isolate.store.trust import exposed_place

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give a file away")
STRANGER = 12345


@pytest.fixture
def default_place(cache, tmp_path):
    """Return the directories on the way to a store in its default place, by name, and the variables for it."""
    place = tmp_path / "xdg"
    place.mkdir()
    cache.rename(place / "isolate")
    directories = {"above": place, "cache": place / "isolate", "store": place / "isolate/store-v1"}
    return directories, {"ISOLATE_CACHE_DIR": "", "XDG_CACHE_HOME": str(place)}


@pytest.mark.parametrize("name", ["above", "cache", "store"])
def test_a_store_that_others_may_write_to_is_not_used_in_its_default_place(
    isolate, application, index, default_place, name
):
    directories, environ = default_place
    before = sorted(directories["store"].rglob("*"))
    directories[name].chmod(0o777)
    app = application({"requirements.txt": "alpha==1.0\n"})
    error = isolate("sync", cwd=app, env=environ).err
    assert f"other users may write to {directories[name]}, and so change the store in" in error
    assert "using a temporary store" in error
    assert versions(app / ".venv") == {"alpha": "1.0"}
    assert sorted(directories["store"].rglob("*")) == before
    assert f"chmod go-w {directories[name]}" in isolate("store", "verify", cwd=app, env=environ, status=2).err
    directories[name].chmod(0o700)
    assert "other users" not in isolate("store", "verify", cwd=app, env=environ).err


@pytest.mark.parametrize("name", ["above", "cache", "store"])
def test_one_warning_is_given_for_a_place_that_the_user_named(isolate, application, index, default_place, name):
    directories, _ = default_place
    environ = {"ISOLATE_CACHE_DIR": str(directories["cache"])}
    directories[name].chmod(0o777)
    app = application({"requirements.txt": "alpha\nbeta\n"})
    error = isolate("sync", cwd=app, env=environ).err
    assert error.count("warning: other users may write to") == 1
    assert "temporary" not in error
    assert list(directories["store"].glob("entries/*/alpha-*"))


def test_a_sticky_directory_above_is_fine(isolate, application, index, default_place):
    directories, environ = default_place
    directories["above"].chmod(0o1777)
    app = application({"requirements.txt": "alpha==1.0\n"})
    assert "other users" not in isolate("sync", cwd=app, env=environ).err


def test_a_new_store_is_not_made_where_others_may_write(isolate, application, index, tmp_path):
    place = tmp_path / "new"
    place.mkdir()
    place.chmod(0o777)
    app = application({"requirements.txt": ""})
    environ = {"ISOLATE_CACHE_DIR": "", "XDG_CACHE_HOME": str(place)}
    assert "using a temporary store" in isolate("sync", cwd=app, env=environ).err
    assert not (place / "isolate").exists()  # the cache of pip beside it is not the store


def test_a_directory_in_a_store_that_others_may_enter_is_looked_at(tmp_path):
    root = open_store(tmp_path / "cache").root
    (root / "entries").mkdir()
    (root / "entries").chmod(0o777)
    assert exposed_place(root) is None  # nobody else gets there
    root.chmod(0o755)
    assert exposed_place(root) == root / "entries"


@needs_root
def test_a_link_of_another_user_on_the_way_is_not_followed_silently(tmp_path):
    """In `/tmp` anybody can make a link to a directory of the victim."""
    (tmp_path / "mine").mkdir()
    link = tmp_path / "link"
    link.symlink_to("mine")
    assert open_store(link).root.is_dir()
    os.chown(link, STRANGER, STRANGER, follow_symlinks=False)
    assert exposed_place(link / "store-v1") == link
    with pytest.raises(UnusableStore, match="other users may write to"):
        open_store(link)


@needs_root
def test_the_store_itself_is_not_a_link_of_another_user(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "cache").mkdir()
    link = tmp_path / "cache/store-v1"
    link.symlink_to("../mine")
    os.chown(link, STRANGER, STRANGER, follow_symlinks=False)
    with pytest.raises(UnusableStore, match="owned by another user"):
        open_store(tmp_path / "cache", on_exposed=print)
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_store_that_the_user_has_moved_and_linked_is_used(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/store-v1").symlink_to("../elsewhere")
    assert (open_store(tmp_path / "cache").root / "README.txt").exists()


@needs_root
def test_a_directory_above_that_belongs_to_another_user_is_exposed(tmp_path):
    place = tmp_path / "theirs"
    place.mkdir(mode=0o755)
    os.chown(place, STRANGER, STRANGER)
    assert exposed_place(place / "isolate/store-v1") == place


def test_a_loop_of_links_is_an_error_and_no_endless_search(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UnusableStore):
        open_store(tmp_path / "a")


def test_a_new_store_is_private(tmp_path):
    root = open_store(tmp_path / "cache").root
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
