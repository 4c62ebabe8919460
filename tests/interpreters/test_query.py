"""Facts about an interpreter, their cache, and programs that only look like an interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pythons import BASE, VERSION, finder_with_python3, write_script

from conftest import SOURCE
from isolate.errors import NoInterpreter
from isolate.interpreters import query
from isolate.interpreters.query import describe


@pytest.fixture
def finder(tmp_path):
    return finder_with_python3(tmp_path)


@pytest.fixture
def queried(monkeypatch):
    """Return the executables that were run to learn facts about them; the list grows."""
    executables = []
    real = query._query
    monkeypatch.setattr(query, "_query", lambda path, environ: executables.append(path) or real(path, environ))
    return executables


def test_facts_are_cached_until_the_binary_changes(finder, tmp_path, queried):
    copy = tmp_path / "bin/python3.x"
    copy.symlink_to(BASE)
    first = finder.describe(str(copy))
    assert finder.describe(str(copy)) == first
    assert len(queried) == 1
    copy.unlink()
    copy.write_text(f'#!/bin/sh\nexec {BASE} "$@"\n')
    copy.chmod(0o755)
    finder.describe(str(copy))
    assert len(queried) == 2


def test_facts_are_queried_again_after_the_base_was_replaced(finder, queried):
    finder.describe(BASE)
    record = next(finder.cache.glob("*.json"))
    table = json.loads(record.read_text())
    table["found"]["fingerprint"] = "different"
    record.write_text(json.dumps(table))
    assert finder.describe(BASE).fingerprint != "different"
    assert len(queried) == 2


def test_a_record_with_the_old_name_of_the_fingerprint_is_used(finder, queried):
    interpreter = finder.describe(BASE)
    record = next(finder.cache.glob("*.json"))
    table = json.loads(record.read_text())
    table["found"]["identity"] = table["found"].pop("fingerprint")
    record.write_text(json.dumps(table))
    assert finder.describe(BASE) == interpreter
    assert queried == [BASE]


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"asked": 1}', '{"found": []}', '{"asked": [], "found": {"version": 1}}']
)
def test_a_damaged_record_is_ignored(finder, content):
    finder.describe(BASE)
    next(finder.cache.glob("*.json")).write_text(content)
    assert finder.describe(BASE).version == VERSION


def test_facts_need_no_cache(finder):
    assert finder._replace(cache=None).describe(BASE).version == VERSION


def test_cached_facts_need_no_expensive_import(finder):
    path = str(Path(BASE).parent)
    code = f"""if True:
        import sys
        from pathlib import Path
        from isolate.interpreters.discovery import InterpreterFinder
        from isolate.interpreters.select import Criteria, choose
        finder = InterpreterFinder(cache=Path({str(finder.cache)!r}), environ={{"PATH": {path!r}}})
        choice = choose(Criteria(), finder)
        print(choice.interpreter.version, *({{"python_discovery", "packaging"}} & set(sys.modules)))
    """
    next(finder._replace(environ={**finder.environ, "PATH": path}).on_path("python3"))
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [VERSION]


def test_variables_do_not_mislead_an_interpreter(finder):
    lies = {"PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere", "VIRTUAL_ENV": "/nowhere"}
    assert describe(BASE, cache=None, environ={**finder.environ, **lies}).version == VERSION


def test_a_program_that_is_not_a_python_is_refused(finder, tmp_path):
    fake = write_script(tmp_path / "bin/fake", "exit 3")
    with pytest.raises(NoInterpreter, match="fake is not a usable Python"):
        finder.describe(str(fake))


def test_the_target_of_a_shim_is_queried_each_time(finder, tmp_path, queried):
    shim = str(write_script(tmp_path / "shims/python3", f'exec {BASE} "$@"'))
    finder.describe(shim)
    finder.describe(shim)
    assert queried == [shim, shim]


def test_the_output_of_interpreters_is_not_shown(finder, tmp_path, capfd):
    chatty = write_script(tmp_path / "chatty/python3", f'echo hello; echo oops >&2; exec {BASE} "$@"')
    assert finder.describe(str(chatty)).version == VERSION
    fake = write_script(tmp_path / "fake/python3", "echo 'not a python'")
    with pytest.raises(NoInterpreter):
        finder.describe(str(fake))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["python", "python3", f"python{VERSION.rpartition('.')[0]}"])
def test_an_interpreter_has_one_name_however_it_was_found(finder, name):
    path = Path(BASE).with_name(name)
    if not path.exists():
        pytest.skip(f"there is no {name} here")
    assert finder.describe(str(path)).executable == BASE


@pytest.mark.parametrize("options", [[], ["--copies"]])
def test_the_interpreter_of_an_environment_leads_to_its_base(finder, tmp_path, options):
    subprocess.run([BASE, "-m", "venv", "--without-pip", *options, tmp_path / "env"], check=True)
    assert finder.describe(str(tmp_path / "env/bin/python")).executable == BASE


def test_the_environment_of_an_environment_leads_to_the_base(finder, tmp_path):
    subprocess.run([BASE, "-m", "venv", "--without-pip", tmp_path / "inner"], check=True)
    subprocess.run([tmp_path / "inner/bin/python", "-m", "venv", "--without-pip", tmp_path / "outer"], check=True)
    assert finder.describe(str(tmp_path / "outer/bin/python")).executable == BASE
