"""What was built from source, or for another kind of Python, serves nobody for whom it would come out differently."""

from __future__ import annotations

import os
import sys

import pytest

from conftest import versions
from isolate.interpreters import libc
from isolate.interpreters.interpreter import Interpreter
from isolate.interpreters.query import describe
from isolate.locked import LockedDistribution
from isolate.store.keys import EntryKeys
from kit.packages import build_sdist

COUNT_BUILDS = "import os; open(os.environ['BUILDS'], 'a').write('built\\n')"


@pytest.fixture
def builds(index, tmp_path, monkeypatch):
    """Let the index serve a source distribution, and return a function that counts its builds."""
    build_sdist(index.directory, "omega", "1.0", on_build=COUNT_BUILDS)
    log = tmp_path / "builds"
    monkeypatch.setenv("BUILDS", str(log))
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip"))
    return lambda: len(log.read_text().splitlines()) if log.exists() else 0


SETTINGS = [
    {"PIP_CONFIG_SETTINGS": "--build-option=x"},
    {"PIP_BUILD_CONSTRAINT": "{tmp}/constraints.txt"},
    {"PIP_EXTRA_INDEX_URL": "{url}"},
    {"PIP_NO_BINARY": "omega"},
    {"CFLAGS": "-DOTHER"},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: next(iter(settings)))
def test_a_build_with_other_settings_is_another_entry(isolate, application, builds, index, tmp_path, settings):
    (tmp_path / "constraints.txt").write_text("beta==1.0\n")
    settings = {name: value.format(tmp=tmp_path, url=index.url) for name, value in settings.items()}
    pin = {"requirements.txt": "omega==1.0\n"}
    isolate("sync", cwd=application(pin, name="first"))
    before = builds()
    isolate("sync", cwd=application(pin, name="second"))
    assert builds() == before
    isolate("sync", cwd=application(pin, name="third"), env=settings)
    assert builds() > before
    before = builds()
    isolate("sync", cwd=application(pin, name="fourth"), env=settings)
    assert builds() == before
    assert isolate("check", cwd=tmp_path / "third").out.startswith("OK")


def test_the_content_of_build_constraints_counts(isolate, application, builds, tmp_path):
    pin, before = {"requirements.txt": "omega==1.0\n"}, 0
    for number, version in enumerate(("1.0", "2.0"), start=1):
        (tmp_path / "constraints.txt").write_text(f"beta=={version}\n")
        env = {"PIP_BUILD_CONSTRAINT": str(tmp_path / "constraints.txt")}
        isolate("sync", cwd=application(pin, name=f"app{number}"), env=env)
        assert builds() > before
        before = builds()


def test_another_token_is_no_other_build(isolate, application, builds, index, cache):
    pin = {"requirements.txt": "omega==1.0\n"}
    for token in ("one", "two"):
        url = index.url.replace("://", f"://{token}@")
        isolate("sync", cwd=application(pin, name=token), env={"PIP_INDEX_URL": url})
    assert len(list(cache.glob("store-v1/entries/*/omega-*"))) == 1


def test_a_build_for_another_index_is_another_entry(isolate, application, builds, index, cache):
    for name, option in (("first", ""), ("second", f"--extra-index-url {index.url}\n")):
        isolate("sync", cwd=application({"requirements.txt": f"{option}omega==1.0\n"}, name=name))
    assert len(list(cache.glob("store-v1/entries/*/omega-*"))) == 2


def test_pips_own_cache_gets_no_wheel_but_what_is_downloaded(isolate, application, builds, cache, index, tmp_path):
    index.headers["Cache-Control"] = "max-age=600"
    app = application({"requirements.txt": "omega==1.0\n"})
    isolate("sync", cwd=app, env={"PIP_TRUSTED_HOST": "127.0.0.1"})
    assert not list((tmp_path / "pip").rglob("*.whl"))
    assert list(cache.glob("store-v1/builds/*/wheels/**/*.whl"))
    assert list((tmp_path / "pip/http-v2").rglob("*"))
    isolate("store", "gc")
    assert not (cache / "store-v1/builds").exists()
    assert list((tmp_path / "pip/http-v2").rglob("*"))


def test_pip_needs_no_cache(isolate, application, builds, cache):
    app = application({"requirements.txt": "omega==1.0\n"})
    isolate("sync", cwd=app, env={"PIP_NO_CACHE_DIR": "1"})
    assert versions(app / ".venv") == {"omega": "1.0"}
    assert not list(cache.glob("store-v1/builds/*/wheels"))


def python(**facts):
    """Return a Python 3.11 for Linux with these *facts*."""
    known = {"implementation": "cpython", "platform": "linux-x86_64", "free_threaded": False, "libc": "glibc_2_36"}
    markers = {"implementation_version": "7.3.17", "platform_machine": "x86_64"}
    return Interpreter(
        executable="/opt/python", version="3.11.7", markers=markers, fingerprint="", **{**known, **facts}
    )


KINDS = [
    python(),
    python(libc="musl_1_2"),
    python(libc="musl_1_1"),
    python(libc="static"),
    python(debug=True),
    python(free_threaded=True),
    python(free_threaded=True, debug=True),
    python(implementation="pypy"),
    python(platform="linux-aarch64"),
]


def test_kinds_of_python_share_no_entry():
    wheel = {"wheels": [{"url": "https://host/alpha-1.0-cp311-cp311-linux_x86_64.whl"}]}
    locked = LockedDistribution("alpha", "1.0", f"sha256:{'0' * 64}", wheel)
    keys = {EntryKeys(kind.compat_tag).key(locked) for kind in KINDS}
    assert len(keys) == len(KINDS)


def test_a_newer_glibc_shares_wheels_and_no_builds(application, isolated_home):
    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.resolution.context import build_id

    root = application({})
    old, new = python(libc="glibc_2_28"), python(libc="glibc_2_36")
    assert old.compat_tag == new.compat_tag
    ids = {build_id(Application(root), Declarations(root=root), kind, os.environ) for kind in (old, new)}
    assert len(ids) == 2


def test_the_wheels_of_a_python_are_those_for_its_own_libc():
    tags = {tag.platform for tag in python(libc="musl_1_2").tags()}
    assert {"musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "linux_x86_64", "any"} <= tags
    assert not any(tag.startswith("manylinux") for tag in tags)
    tags = {tag.platform for tag in python(libc="glibc_2_17").tags()}
    assert {"manylinux_2_17_x86_64", "manylinux2014_x86_64", "linux_x86_64"} <= tags
    assert not tags & {"manylinux_2_18_x86_64", "musllinux_1_2_x86_64"}


def test_a_debug_build_takes_wheels_for_the_default_build():
    abis = [tag.abi for tag in python(debug=True).tags()]
    assert abis.index("cp311d") < abis.index("cp311")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one C library")
def test_the_libc_of_this_python_is_the_one_that_packaging_finds():
    from packaging import _manylinux, _musllinux

    musl = _musllinux._get_musl_version(sys.executable)
    family, version = ("musl", musl) if musl else ("glibc", _manylinux._get_glibc_version())
    assert libc.libc_of(sys.executable) == f"{family}_{version[0]}_{version[1]}"
    assert describe(sys.executable, cache=None, environ=os.environ).libc == libc.libc_of(sys.executable)


def test_the_libc_of_another_python_is_told_by_its_loader(mocker):
    mocker.patch.object(libc, "_loader", return_value="/lib/ld-musl-x86_64.so.1")
    mocker.patch.object(libc, "_output", return_value="musl libc (x86_64)\nVersion 1.2.4\nDynamic Program Loader\n")
    assert libc.libc_of("/opt/python") == "musl_1_2"
    mocker.patch.object(libc, "_loader", side_effect=["/nix/ld-linux.so", "/lib/ld-linux.so"])
    mocker.patch.object(libc, "_output", return_value="glibc 2.38")
    assert libc.libc_of("/opt/python") == "glibc_2_38"


def test_a_script_has_no_libc(tmp_path):
    (tmp_path / "python").write_text("#!/bin/sh\n")
    assert libc.libc_of(str(tmp_path / "python")) == ""
