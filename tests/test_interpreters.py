from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from isolate.errors import DeclarationError, NoInterpreter
from isolate.interpreters import discovery
from isolate.interpreters.choosing import choose, version_file_of
from isolate.interpreters.discovery import describe
from isolate.interpreters.model import Interpreter

BASE = str(Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}"))
VERSION = ".".join(map(str, sys.version_info[:3]))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "interpreters"


@pytest.fixture
def environ(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(BASE)
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}


def chosen(cache, environ, **more):
    asked = {"asked": None, "version_file": None, "current": None, "requires_python": None}
    return choose(**{**asked, **more}, cache=cache, environ=environ)


def test_python3_on_the_path_is_the_usual_choice(cache, environ):
    choice = chosen(cache, environ)
    assert choice.interpreter.version == VERSION
    assert choice.reason == "python3 on PATH"


def test_an_environment_on_the_path_leads_to_its_base(cache, environ, tmp_path):
    subprocess.run([BASE, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    choice = chosen(cache, {**environ, "PATH": str(tmp_path / "env/bin")})
    assert os.path.realpath(choice.interpreter.executable) == os.path.realpath(BASE)


def test_what_was_asked_for_goes_first(cache, environ, tmp_path):
    path = tmp_path / ".python-version"
    assert chosen(cache, environ, asked=BASE, version_file=("3.99", path)).reason == f"--python {BASE}"
    assert chosen(cache, environ, asked=str(tmp_path / "bin/python3")).interpreter.version == VERSION


def test_the_version_file_goes_before_the_environment(cache, environ, tmp_path):
    short = ".".join(VERSION.split(".")[:2])
    current = describe(BASE, cache=cache, environ=environ)
    choice = chosen(cache, environ, version_file=(short, tmp_path / ".python-version"), current=current)
    assert choice.reason == f".python-version: {short}"


def test_the_environment_keeps_its_interpreter(cache, environ):
    current = describe(BASE, cache=cache, environ=environ)
    assert chosen(cache, {"PATH": "/nowhere"}, current=current).reason == "the environment has it"


def test_an_interpreter_that_the_application_does_not_allow_is_left(cache, environ):
    current = describe(BASE, cache=cache, environ=environ)
    with pytest.raises(NoInterpreter, match="no Python here meets requires-python <3"):
        chosen(cache, environ, current=current, requires_python=SpecifierSet("<3"))


def test_asking_for_what_is_not_allowed_shows_both(cache, environ):
    with pytest.raises(NoInterpreter) as refused:
        chosen(cache, environ, asked=BASE, requires_python=SpecifierSet(">=99"))
    assert refused.value.facts == (f"--python {BASE}: Python {VERSION}", "requires-python: >=99")


@pytest.mark.parametrize("asked", ["3.99", "./no/such/python"])
def test_what_is_not_installed_is_refused(cache, environ, asked):
    with pytest.raises(NoInterpreter, match="3.99|is not there"):
        chosen(cache, environ, asked=asked)


def test_a_program_that_is_no_python_is_refused(cache, environ, tmp_path):
    fake = tmp_path / "bin/fake"
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)
    with pytest.raises(NoInterpreter):
        describe(str(fake), cache=cache, environ=environ)


def test_facts_are_remembered_until_the_binary_changes(cache, environ, tmp_path, monkeypatch):
    copy = tmp_path / "bin/copied"
    shutil.copy(BASE, copy)
    asked = []
    real = discovery._interrogate
    monkeypatch.setattr(discovery, "_interrogate", lambda *args: asked.append(args) or real(*args))
    describe(BASE, cache=cache, environ=environ)
    describe(BASE, cache=cache, environ=environ)
    assert len(asked) == 1
    first = next(cache.glob("*.json"))
    table = json.loads(first.read_text())
    first.write_text(json.dumps({**table, "identity": "another"}))
    describe(BASE, cache=cache, environ=environ)
    assert len(asked) == 2


def test_misleading_variables_do_not_mislead(cache, environ):
    lies = {"PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere", "VIRTUAL_ENV": "/nowhere"}
    assert chosen(cache, {**environ, **lies}).interpreter.version == VERSION


def test_the_version_file_is_looked_for_up_to_the_repository(tmp_path):
    (tmp_path / ".python-version").write_text("# ours\n3.12\n")
    inner = tmp_path / "repository/app"
    inner.mkdir(parents=True)
    assert version_file_of(inner) == ("3.12", tmp_path / ".python-version")
    (tmp_path / "repository/.git").mkdir()
    assert version_file_of(inner) is None


def test_a_version_file_that_says_nothing_is_refused(tmp_path):
    (tmp_path / ".python-version").write_text("\n")
    with pytest.raises(DeclarationError, match="names no version"):
        version_file_of(tmp_path)


def others():
    """Return the interpreters of this machine, one of each version."""
    found = {}
    for one in discovery.every(None, os.environ):
        if one.implementation == "cpython" and tuple(map(int, one.short.split("."))) >= (3, 8):
            found.setdefault(one.short, one)
    return [found[short] for short in sorted(found)]


@pytest.mark.parametrize("interpreter", others(), ids=lambda one: one.version)
def test_tags_are_those_that_the_interpreters_own_pip_gives(interpreter):
    code = "from pip._vendor.packaging.tags import sys_tags; print(*sys_tags())"
    done = subprocess.run(
        [interpreter.executable, "-I", "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("this one has no pip to compare with")
    theirs = done.stdout.split()
    ours = [str(tag) for tag in interpreter.tags()]
    assert set(theirs) <= set(ours)
    assert [tag for tag in ours if tag in set(theirs)] == theirs


def test_an_interpreter_survives_being_written_down(cache, environ):
    interpreter = describe(BASE, cache=cache, environ=environ)
    assert Interpreter.from_dict(json.loads(json.dumps(interpreter.to_dict()))) == interpreter
    assert interpreter.kind.startswith(f"cp{sys.version_info[0]}{sys.version_info[1]}-")
