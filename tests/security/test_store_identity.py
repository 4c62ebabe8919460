"""A store entry is what was verified: nothing is filed under a hash that pip, or isolate, has not compared it with."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from conftest import versions
from isolate.locked import LockedDistribution
from isolate.store.local_copies import with_copy
from kit.packages import build_sdist, build_wheel

FILLERS = ("beta==1.0", "gamma==1.0", "delta==1.0", *(f"filler{number}==1.0" for number in range(5)))
"""Pins beside that of alpha: with eight, the pins are fetched before anything is resolved."""

SHORT_KEY = re.compile(r"-[0-9a-f]{16}$")
LONG_KEY = re.compile(r"-[0-9a-f]{64}(-[0-9a-f]{32})?(\+bytecode)?$")


@pytest.fixture
def wheels(index, tmp_path):
    """Return the true wheel of alpha 1.0, and a false one that the index serves under its name."""
    true = index.directory / "alpha-1.0-py3-none-any.whl"
    kept = tmp_path / "true" / true.name
    kept.parent.mkdir()
    shutil.copy(true, kept)
    build_wheel(index.directory, "alpha", "1.0", files={"alpha/__init__.py": "false = True\n"})
    for pin in FILLERS:
        build_wheel(index.directory, *pin.split("=="))
    return kept, true


def digest(path, algorithm="sha256"):
    return hashlib.new(algorithm, path.read_bytes()).hexdigest()


def lock_of(index, hashes, *, url=None, kind="wheels"):
    name = "alpha-1.0-py3-none-any.whl"
    url = url or index.url.replace("simple/", f"files/{name}")
    listed = ", ".join(f'{algorithm} = "{value}"' for algorithm, value in hashes.items())
    artifact = f'url = "{url}", hashes = {{ {listed} }}'
    source = f'wheels = [{{ name = "{name}", {artifact} }}]' if kind == "wheels" else f"archive = {{ {artifact} }}"
    packages = f'[[packages]]\nname = "alpha"\nversion = "1.0"\n{source}\n'
    return f'lock-version = "1.0"\ncreated-by = "other"\n{packages}'


def entries_of(cache, name="alpha"):
    return sorted(path for path in cache.glob("store-v1/entries/*/*") if path.name.startswith(f"{name}-"))


def is_false(venv):
    return "false" in next(venv.glob("lib/*/site-packages/alpha/__init__.py")).read_text()


def assert_true_hash_is_clean(isolate, application, cache, wheels, index):
    """Check that an application which pins the true sha256 gets the true wheel, whatever happened before."""
    true, served = wheels
    sha256 = digest(true)
    assert not any(sha256 in entry.name for entry in entries_of(cache))
    shutil.copy(true, served)
    index.claims.clear()
    victim = application({"requirements.txt": f"alpha==1.0 --hash=sha256:{sha256}\n"}, name="victim")
    isolate("sync", cwd=victim)
    assert not is_false(victim / ".venv")
    assert [entry for entry in entries_of(cache) if sha256 in entry.name]


@pytest.mark.parametrize("algorithm", ["sha512", "sha384", "sha224", "sha1", "md5"])
@pytest.mark.parametrize("kind", ["wheels", "archive"])
def test_a_lock_with_a_true_and_a_false_hash(isolate, application, cache, wheels, index, algorithm, kind):
    true, served = wheels
    hashes = {"sha256": digest(true), algorithm: digest(served, algorithm)}
    app = application({"pylock.toml": lock_of(index, hashes, kind=kind)})
    assert "hash" in isolate("sync", cwd=app, status=2).err
    assert_true_hash_is_clean(isolate, application, cache, wheels, index)


@pytest.mark.parametrize("mark", ["#", "#x=1&", "?x=1&"])
def test_a_lock_with_a_false_hash_in_the_url(isolate, application, cache, wheels, index, mark):
    true, served = wheels
    url = index.url.replace("simple/", f"files/{served.name}{mark}sha256={digest(served)}")
    app = application({"pylock.toml": lock_of(index, {"sha256": digest(true)}, url=url, kind="archive")})
    assert "hash" in isolate("sync", cwd=app, status=2).err
    assert_true_hash_is_clean(isolate, application, cache, wheels, index)


def test_a_lock_with_a_false_hash_in_the_subdirectory(isolate, application, cache, wheels, index):
    true, served = wheels
    lock = lock_of(index, {"sha256": digest(true)}, kind="archive")
    lock = lock.replace("hashes =", f'subdirectory = "x&sha256={digest(served)}", hashes =')
    app = application({"pylock.toml": lock})
    assert "subdirectory" in isolate("sync", cwd=app, status=2).err
    assert_true_hash_is_clean(isolate, application, cache, wheels, index)


@pytest.mark.parametrize("fillers", [(), FILLERS], ids=["few pins", "many pins"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_an_index_that_claims_the_true_hash_for_the_declared_false_file(
    isolate, application, cache, wheels, index, fillers, algorithm
):
    true, served = wheels
    index.claims[served.name] = f"sha256={digest(true)}"
    pins = {pin: next(index.directory.glob(f"{pin.replace('==', '-')}-*")) for pin in fillers}
    lines = [f"{pin} --hash=sha256:{digest(wheel)}" for pin, wheel in pins.items()]
    lines.append(f"alpha==1.0 --hash={algorithm}:{digest(served, algorithm)}")
    app = application({"requirements.txt": "".join(f"{line}\n" for line in lines)})
    isolate("sync", cwd=app)
    assert is_false(app / ".venv")
    assert [entry for entry in entries_of(cache) if digest(served) in entry.name]
    assert_true_hash_is_clean(isolate, application, cache, wheels, index)


@pytest.mark.parametrize("fillers", [(), FILLERS], ids=["few pins", "many pins"])
def test_an_index_that_exchanges_two_declared_files(isolate, application, cache, wheels, index, fillers):
    true, served = wheels
    index.claims[served.name] = f"sha256={digest(true)}"
    pins = {pin: next(index.directory.glob(f"{pin.replace('==', '-')}-*")) for pin in fillers}
    lines = [f"{pin} --hash=sha256:{digest(wheel)} --hash=sha256:{'0' * 64}" for pin, wheel in pins.items()]
    lines.append(f"alpha==1.0 --hash=sha256:{digest(served)} --hash=sha256:{digest(true)}")
    app = application({"requirements.txt": "".join(f"{line}\n" for line in lines)})
    assert "hash" in isolate("sync", cwd=app, status=2).err
    assert_true_hash_is_clean(isolate, application, cache, wheels, index)


def test_several_declared_files_of_which_the_chosen_one_counts(isolate, application, cache, wheels, index):
    _, served = wheels
    pins = {pin: next(index.directory.glob(f"{pin.replace('==', '-')}-*")) for pin in ("alpha==1.0", *FILLERS)}
    lines = [f"{pin} --hash=sha256:{digest(wheel)} --hash=sha256:{'0' * 64}\n" for pin, wheel in pins.items()]
    app = application({"requirements.txt": "".join(lines)})
    isolate("sync", cwd=app)
    assert len(versions(app / ".venv")) == len(pins)
    assert [entry for entry in entries_of(cache) if digest(served) in entry.name]


@pytest.mark.parametrize("fillers", [(), FILLERS], ids=["few pins", "many pins"])
def test_an_index_that_serves_other_bytes_than_it_claims(isolate, application, cache, wheels, index, fillers):
    true, served = wheels
    index.claims[served.name] = f"sha256={digest(true)}"
    app = application({"requirements.txt": "".join(f"{pin}\n" for pin in ("alpha==1.0", *fillers))})
    assert "hash" in isolate("sync", cwd=app, status=2).err
    assert_true_hash_is_clean(isolate, application, cache, wheels, index)


@pytest.mark.parametrize("claim", ["", "md5", "sha1", "sha512"])
@pytest.mark.parametrize("fillers", [(), FILLERS], ids=["few pins", "many pins"])
def test_an_index_without_sha256(isolate, application, cache, wheels, index, fillers, claim):
    _, served = wheels
    for wheel in index.directory.glob("*.whl"):
        index.claims[wheel.name] = f"{claim}={digest(wheel, claim)}" if claim else ""
    app = application({"requirements.txt": "".join(f"{pin}\n" for pin in ("alpha==1.0", *fillers))})
    isolate("sync", cwd=app)
    [entry] = entries_of(cache)
    assert entry.name == f"alpha-1.0-{digest(served)}"
    assert isolate("check", cwd=app).out.startswith("OK")
    isolate("sync", "--verify", "--offline", cwd=app)


@pytest.mark.parametrize("algorithm", ["sha512", "sha384", "sha224", "sha1", "md5"])
@pytest.mark.parametrize("kind", ["wheels", "archive"])
def test_a_lock_with_one_other_hash(isolate, application, cache, wheels, index, algorithm, kind):
    _, served = wheels
    app = application({"pylock.toml": lock_of(index, {algorithm: digest(served, algorithm)}, kind=kind)})
    isolate("sync", cwd=app)
    [entry] = entries_of(cache)
    assert entry.name == f"alpha-1.0-{digest(served)}"
    assert isolate("check", "--hash", cwd=app).out.startswith("OK")
    assert "nothing to do" in isolate("sync", "--verify", "--offline", cwd=app).out
    shutil.rmtree(cache)
    assert isolate("check", cwd=app).out.startswith("OK")
    isolate("rollback", "1", cwd=app, status=None)
    shutil.rmtree(app / ".venv")
    isolate("sync", cwd=app)
    assert [entry.name for entry in entries_of(cache)] == [f"alpha-1.0-{digest(served)}"]


@pytest.mark.parametrize("algorithm", ["sha512", "md5"])
def test_a_lock_with_one_other_hash_that_is_wrong(isolate, application, cache, wheels, index, algorithm):
    true, _ = wheels
    app = application({"pylock.toml": lock_of(index, {algorithm: digest(true, algorithm)})})
    assert "hash" in isolate("sync", cwd=app, status=2).err
    assert entries_of(cache) == []


@pytest.mark.parametrize("sha256", ["../../../../x", "0" * 63, "", "g" * 64])
def test_a_lock_whose_sha256_is_none(isolate, application, cache, wheels, index, sha256):
    app = application({"pylock.toml": lock_of(index, {"sha256": sha256})})
    isolate("sync", cwd=app, status=2)
    assert entries_of(cache) == []


def test_a_lock_with_a_sha256_in_capitals(isolate, application, cache, wheels, index):
    _, served = wheels
    app = application({"pylock.toml": lock_of(index, {"sha256": digest(served).upper()})})
    isolate("sync", cwd=app)
    assert [entry.name for entry in entries_of(cache)] == [f"alpha-1.0-{digest(served)}"]


def test_a_declared_hash_that_the_lock_does_not_state_is_demanded(isolate, application, cache, wheels, index):
    true, served = wheels
    lock = lock_of(index, {"sha256": digest(served)})
    requirements = f"alpha==1.0 --hash=sha512:{digest(true, 'sha512')}\n"
    app = application({"requirements.txt": requirements, "pylock.toml": lock})
    isolate("sync", cwd=app, status=2)
    assert not (app / ".venv").exists()
    lock = lock_of(index, {"sha256": digest(served), "sha512": digest(true, "sha512")})
    app = application({"requirements.txt": requirements, "pylock.toml": lock}, name="pair")
    isolate("sync", cwd=app, status=2)
    assert not (app / ".venv").exists()


def test_another_application_gets_no_artifact_that_its_own_hash_does_not_allow(isolate, application, wheels, index):
    """Both have the same index, so the metadata of their pins is shared."""
    true, served = wheels
    fillers = [
        f"{pin} --hash=sha256:{digest(next(index.directory.glob(pin.replace('==', '-') + '-*')))}" for pin in FILLERS
    ]
    first = application({"requirements.txt": "\n".join([*fillers, f"alpha==1.0 --hash=sha256:{digest(served)}", ""])})
    isolate("sync", cwd=first)
    line = f"alpha==1.0 --hash=sha512:{digest(true, 'sha512')}"
    second = application({"requirements.txt": "\n".join([*fillers, line, ""])}, name="second")
    isolate("sync", cwd=second, status=2)
    assert not (second / ".venv").exists()


def test_wrong_bytes_in_the_cache_of_pip(isolate, application, cache, wheels, index, monkeypatch, tmp_path):
    true, served = wheels
    shutil.copy(true, served)
    index.headers["Cache-Control"] = "max-age=600"
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip"))
    monkeypatch.setenv("PIP_TRUSTED_HOST", "127.0.0.1")  # without it, pip caches nothing that comes by http
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    bodies = [
        path for path in (tmp_path / "pip").rglob("*") if path.is_file() and path.read_bytes() == true.read_bytes()
    ]
    assert bodies
    for body in bodies:
        body.write_bytes(body.read_bytes().replace(b"alpha", b"ALPHA"))
    for directory in (cache / "store-v1/entries", cache / "store-v1/locks", app / ".venv"):
        shutil.rmtree(directory)
    index.requests.clear()
    assert "hash" in isolate("sync", cwd=app, status=2).err
    assert served.name not in index.fetched()
    assert entries_of(cache) == []


@pytest.mark.parametrize("declared", [True, False], ids=["link", "find-links"])
def test_a_file_that_changes_after_it_was_hashed(isolate, application, cache, wheels, monkeypatch, declared):
    """The lock has the hash of the file as it was."""
    true, _ = wheels
    monkeypatch.delenv("PIP_INDEX_URL")
    text = f"alpha @ {true.as_uri()}\n" if declared else f"--no-index\n--find-links {true.parent}\nalpha\n"
    app = application({"requirements.txt": text})
    isolate("lock", cwd=app)
    before = digest(true)
    build_wheel(true.parent, "alpha", "1.0", files={"alpha/__init__.py": "false = True\n"})
    isolate("sync", cwd=app, status=None)
    assert not any(before in entry.name for entry in entries_of(cache))


def test_pip_installs_a_private_copy_of_a_local_wheel(wheels, tmp_path):
    true, _ = wheels
    artifact = {"name": true.name, "url": true.as_uri(), "hashes": {"sha256": digest(true)}}
    locked = LockedDistribution("alpha", "1.0", f"sha256:{digest(true)}", {"name": "alpha", "wheels": [artifact]})
    copied = with_copy(locked, tmp_path / "copies").artifact
    assert copied is not None
    assert "url" not in copied
    assert copied["path"].startswith(str(tmp_path / "copies"))
    assert digest(Path(copied["path"])) == digest(true)
    remote = {**artifact, "url": "https://host/alpha-1.0-py3-none-any.whl"}
    for other in (
        {"wheels": [remote]},
        {"archive": artifact},
        {"wheels": [{**artifact, "url": "file:///missing.whl"}]},
    ):
        kept = locked._replace(table=other)
        assert with_copy(kept, tmp_path / "others") is kept


@pytest.mark.parametrize("place", ["find-links", "index"])
def test_a_local_wheel_is_installed(isolate, application, cache, wheels, monkeypatch, place):
    true, _ = wheels
    monkeypatch.delenv("PIP_INDEX_URL")
    (true.parent / "alpha").mkdir()
    link = f'<a href="{true.as_uri()}#sha256={digest(true)}">{true.name}</a>'
    (true.parent / "alpha/index.html").write_text(f"<!DOCTYPE html><html><body>{link}</body></html>")
    option = f"--no-index\n--find-links {true.parent}" if place == "find-links" else f"-i {true.parent.as_uri()}"
    app = application({"requirements.txt": f"{option}\nalpha==1.0\n"})
    isolate("sync", cwd=app)
    assert [entry.name for entry in entries_of(cache)] == [f"alpha-1.0-{digest(true)}"]
    assert not list((app / ".venv").glob("lib/*/site-packages/alpha-*/direct_url.json"))


def test_keys_have_the_full_sha256(isolate, application, cache, wheels, index):
    isolate("sync", cwd=application({"requirements.txt": "alpha==1.0\n"}))
    names = [path.name for path in cache.glob("store-v1/entries/*/*")]
    assert names
    assert all(LONG_KEY.search(name) for name in names)


@pytest.mark.parametrize("field", ["name", "version", "source_id", "compat_tag", "files"])
def test_an_entry_whose_manifest_names_another_artifact_is_fetched_again(isolate, application, cache, index, field):
    isolate("sync", cwd=application({"requirements.txt": "alpha==1.0\nalpha==1.0\n"}))
    isolate("sync", cwd=application({"requirements.txt": "alpha==2.0\n"}, name="other"))
    first, second = entries_of(cache)
    forged = json.loads((first / "manifest.json").read_bytes())
    forged[field] = json.loads((second / "manifest.json").read_bytes())[field] if field != "compat_tag" else "cp399-x"
    if field == "name":
        forged["name"] = "beta"
    (first / "manifest.json").chmod(0o644)
    (first / "manifest.json").write_text(json.dumps(forged, separators=(",", ":")))
    third = application({"requirements.txt": "alpha==1.0\n"}, name="third")
    assert "is damaged" in isolate("sync", cwd=third).err
    assert versions(third / ".venv") == {"alpha": "1.0"}
    assert isolate("store", "verify").out.startswith("OK")


def test_an_entry_in_the_place_of_another_is_fetched_again(isolate, application, cache, index):
    isolate("sync", cwd=application({"requirements.txt": "alpha==1.0\n"}))
    isolate("sync", cwd=application({"requirements.txt": "alpha==2.0\n"}, name="other"))
    first, second = entries_of(cache)
    shutil.rmtree(first)
    shutil.copytree(second, first)
    third = application({"requirements.txt": "alpha==1.0\n"}, name="third")
    assert "is damaged" in isolate("sync", cwd=third).err
    assert versions(third / ".venv") == {"alpha": "1.0"}


def test_store_verify_finds_an_entry_in_the_place_of_another(isolate, application, cache, index):
    isolate("sync", cwd=application({"requirements.txt": "alpha==1.0\n"}))
    [entry] = entries_of(cache)
    shutil.copytree(entry, entry.with_name(f"beta-1.0-{'0' * 64}"))
    assert "beta-1.0" in isolate("store", "verify", status=1).out


def test_a_source_distribution_with_a_weak_hash(isolate, application, cache, index):
    sdist = build_sdist(index.directory, "omega", "1.0")
    index.claims[sdist.name] = f"md5={digest(sdist, 'md5')}"
    app = application({"requirements.txt": "omega==1.0\n"})
    isolate("sync", cwd=app)
    [entry] = entries_of(cache, "omega")
    assert entry.name.startswith(f"omega-1.0-{digest(sdist)}-")
