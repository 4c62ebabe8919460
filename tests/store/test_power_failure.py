"""A file of the store that a power failure has cut off is written again, and never believed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from isolate.environment.template import _read_template
from isolate.pip.report import ResolvedDistribution
from isolate.store.environments import register_environment, registered_environments
from isolate.store.keys import EntryKeys
from isolate.store.layout import BYTECODE_SUFFIX
from isolate.store.manifest import digest_of_file
from isolate.store.metadata_cache import MetadataCache
from isolate.store.seed.wheel import is_whole
from isolate.store.store import open_store
from kit.packages import build_wheel

DAMAGES = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "half zeros": lambda content: content[: len(content) // 2] + bytes(len(content) - len(content) // 2),
    "no rows": lambda content: b"[]",
    "no fields": lambda content: b"{}",
    "not text": lambda content: content[:20] + b"\xff\xfe",
}
OF_ENVIRONMENTS = ("seeds/*.whl", "seeds/*.sha256", "skeletons/*/*.json", "interpreters/*.json")
OF_THIS_APPLICATION = ("locks/*", "environments/*")


def damage(store, pattern, how, names=None):
    """Damage the files of *store* that match *pattern* (only those in *names*), and return what is in them then."""
    damaged = {}
    for path in store.glob(pattern):
        if names is None or path.name in names:
            path.chmod(0o644)
            path.write_bytes(DAMAGES[how](path.read_bytes()))
            damaged[path] = path.read_bytes()
    assert damaged
    return damaged


@pytest.fixture
def app(isolate, application, index):
    del index
    return application({"requirements.txt": "alpha==2.0\nbeta==2.0\n"})


@pytest.mark.parametrize("how", ["empty", "half", "zeros", "not text"])
def test_what_is_cut_off_is_written_again(isolate, app, cache, how):
    store = cache / "store-v1"
    others = {path.name for pattern in OF_THIS_APPLICATION for path in store.glob(pattern)}
    isolate("sync", cwd=app)
    own = {path.name for pattern in OF_THIS_APPLICATION for path in store.glob(pattern)} - others
    damaged = {}
    for pattern in OF_ENVIRONMENTS:
        damaged |= damage(store, pattern, how)
    for pattern in OF_THIS_APPLICATION:
        damaged |= damage(store, pattern, how, own)
    shutil.rmtree(store / "entries")  # the seed is needed only where the store has no pip
    shutil.rmtree(app / ".venv")
    isolate("sync", cwd=app)
    assert [path for path, content in damaged.items() if path.read_bytes() == content] == []
    isolate("check", "--hash", cwd=app)


@pytest.mark.parametrize("how", ["empty", "half", "not text"])
def test_an_entry_and_bytecode_whose_manifest_is_cut_off_are_made_again(isolate, app, cache, how):
    isolate("sync", "--compile", cwd=app)
    damage(cache / "store-v1", "entries/*/alpha-*/manifest.json", how)
    damage(cache / "store-v1", f"entries/*/beta-*{BYTECODE_SUFFIX}/manifest.json", how)
    shutil.rmtree(app / ".venv")
    isolate("sync", "--compile", cwd=app)
    isolate("check", "--hash", cwd=app)
    for name in ("alpha", "beta"):
        assert list(app.glob(f".venv/lib/*/site-packages/{name}/__pycache__/*.pyc"))


def test_the_store_is_cleaned_whatever_is_cut_off(isolate, app, cache):
    isolate("sync", "--compile", cwd=app)
    for pattern in (*OF_ENVIRONMENTS, *OF_THIS_APPLICATION, "entries/*/*/manifest.json"):
        damage(cache / "store-v1", pattern, "not text")
    isolate("store", "gc", cwd=app)
    isolate("sync", "--verify", cwd=app)
    isolate("check", "--hash", cwd=app)


def test_a_recorded_digest_does_not_make_an_empty_wheel_whole(isolate, app, cache):
    """An earlier version recorded the digest of the wheel as it found it."""
    store = cache / "store-v1"
    [wheel] = damage(store, "seeds/*.whl", "empty")
    [record] = store.glob("seeds/*.sha256")
    record.write_text(f"{digest_of_file(wheel)} 0 {wheel.stat().st_mtime_ns}")
    shutil.rmtree(store / "entries")
    assert "is damaged; replacing it" in isolate("sync", cwd=app).err
    assert wheel.stat().st_size > 10**6


@pytest.mark.parametrize("how", DAMAGES)
def test_a_wheel_is_whole_or_not(tmp_path, how):
    wheel = build_wheel(tmp_path, "alpha", "1.0")
    assert is_whole(wheel, digest_of_file(wheel))
    assert not is_whole(wheel, "0" * 64)
    wheel.write_bytes(DAMAGES[how](wheel.read_bytes()))
    assert not is_whole(wheel, digest_of_file(wheel))
    assert not is_whole(tmp_path / "missing", "0" * 64)


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_metadata_is_no_metadata_and_is_recorded_again(cache, mocker, how):
    store = open_store(cache)
    mocker.patch.object(type(store), "has", return_value=True)
    metadata = MetadataCache(store, EntryKeys("tag"), "index")
    dist = ResolvedDistribution("alpha", "1.0", "https://host/alpha.whl", hashes={"sha256": "0" * 64})
    metadata.add([dist])
    assert metadata.get("alpha", "1.0") is not None
    damage(store.root, "known/*/*", how)
    assert metadata.get("alpha", "1.0") is None
    metadata.add([dist])
    assert metadata.get("alpha", "1.0") is not None


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_record_names_no_environment_and_is_written_again(cache, tmp_path, how):
    store = open_store(cache)
    register_environment(store, tmp_path / "app/.venv")
    damage(store.root, "environments/*", how)
    assert registered_environments(store) == []
    register_environment(store, tmp_path / "app/.venv")
    assert registered_environments(store) == [tmp_path / "app/.venv"]


@pytest.mark.parametrize("text", ["[]", "{}", "null", "[1]", '["abcd"]', '[["pyvenv.cfg", "file", "", "644"]]', "[[]]"])
def test_a_template_without_its_files_is_not_one(tmp_path, text):
    (tmp_path / "template").write_text(text)
    with pytest.raises((ValueError, TypeError)):
        _read_template(Path(tmp_path, "template"))
