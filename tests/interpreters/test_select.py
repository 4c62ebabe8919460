"""Which interpreter an application gets, and why."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from pythons import (
    BASE,
    MINOR_VERSION,
    VERSION,
    finder_with_python3,
    imaginary,
    supported_pythons,
    with_path,
    write_script,
)

from isolate.errors import NoInterpreter
from isolate.interpreters.request import PythonRequest
from isolate.interpreters.select import Criteria, choose

if TYPE_CHECKING:
    from isolate.interpreters.interpreter import Interpreter

PYTHONS = supported_pythons()


@pytest.fixture
def finder(tmp_path):
    return finder_with_python3(tmp_path)


def chosen(finder, **criteria):
    return choose(Criteria(**criteria), finder)


def requested(finder, text, **criteria):
    return chosen(finder, request=PythonRequest.from_option(text), **criteria)


def test_python3_on_path_is_the_default(finder):
    choice = chosen(finder)
    assert choice.interpreter.version == VERSION
    assert choice.reason == "python3 on PATH"


def test_the_request_is_preferred_to_the_interpreter_of_the_environment(finder):
    choice = requested(finder, MINOR_VERSION, current=finder.describe(BASE))
    assert choice.reason == f"--python {MINOR_VERSION}"


def test_the_environment_keeps_its_interpreter(finder):
    current = finder.describe(BASE)
    assert chosen(with_path(finder, "/nowhere"), current=current).reason == "used by the environment"


def test_the_environment_does_not_keep_an_interpreter_that_requires_python_excludes(finder):
    current = finder.describe(BASE)
    with pytest.raises(NoInterpreter, match="no Python that satisfies requires-python <3 was found"):
        chosen(finder, current=current, requires_python=SpecifierSet("<3"))


def test_a_removed_interpreter_of_the_environment_is_replaced(finder):
    assert chosen(finder, current=imaginary("3.11.7")).reason == "python3 on PATH"


def test_a_replaced_interpreter_of_the_environment_is_described_again(finder):
    current = finder.describe(BASE)._replace(fingerprint="older")
    choice = chosen(finder, current=current)
    assert choice.reason == "used by the environment"
    assert choice.interpreter.fingerprint != "older"


def test_a_request_outside_requires_python_shows_both(finder):
    with pytest.raises(NoInterpreter, match="does not satisfy requires-python") as refused:
        requested(finder, BASE, requires_python=SpecifierSet(">=99"))
    assert refused.value.facts == (f"--python {BASE}: Python {VERSION}", "requires-python: >=99")


@pytest.mark.parametrize("text", ["3.99", "./no/such/python"])
def test_a_python_that_is_not_installed_is_refused(finder, text):
    with pytest.raises(NoInterpreter, match=r"not installed|neither .*no/such/python nor .* is a file"):
        requested(finder, text)


@pytest.mark.parametrize("text", ["rm", "", " ", "-x", "~", ">=x", "3.xy", "python three"])
def test_an_invalid_request_is_refused_and_not_run(finder, text, tmp_path):
    write_script(tmp_path / "bin/rm", f"touch {tmp_path}/was-run")
    with pytest.raises(NoInterpreter, match="invalid Python request: --python"):
        requested(finder, text)
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("text", ["3.7", "python3.7", "2.7.18", "cpython-3.6"])
def test_an_unsupported_version_is_refused_even_if_it_is_not_installed(finder, text):
    with pytest.raises(NoInterpreter, match=r"is not supported: isolate creates environments for 3.8 and later"):
        requested(finder, text)


def test_the_path_of_a_setting_starts_at_its_file(finder, tmp_path):
    file = tmp_path / "app/pyproject.toml"
    with pytest.raises(NoInterpreter) as refused:
        chosen(finder, request=PythonRequest.from_setting("9.9", file))
    assert str(refused.value).startswith('python = "9.9" in pyproject.toml asks for a Python that is not installed')
    (tmp_path / "app/tools").mkdir(parents=True)
    (tmp_path / "app/tools/python").symlink_to(BASE)
    choice = chosen(finder, request=PythonRequest.from_setting("tools/python", file))
    assert choice.interpreter.version == VERSION


def test_a_requested_path_starts_in_the_current_directory(finder, tmp_path, monkeypatch):
    assert requested(finder, str(tmp_path / "bin/python3")).interpreter.executable == BASE
    monkeypatch.chdir(tmp_path)
    assert requested(finder, "bin/python3").interpreter.executable == BASE


def test_a_requested_directory_may_be_an_environment(finder, tmp_path):
    subprocess.run([BASE, "-m", "venv", "--without-pip", tmp_path / "project/env"], check=True)
    assert requested(finder, str(tmp_path / "project/env")).interpreter.executable == BASE
    request = PythonRequest(text="./env", source=".python-version: ./env", directory=tmp_path / "project")
    assert chosen(finder, request=request).interpreter.executable == BASE


def test_an_environment_on_path_leads_to_its_base(finder, tmp_path):
    subprocess.run([BASE, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    assert chosen(with_path(finder, tmp_path / "env/bin")).interpreter.executable == BASE


def test_a_shim_leads_to_its_target(finder, tmp_path):
    write_script(tmp_path / "shims/python3", f'exec {BASE} "$@"')
    assert chosen(with_path(finder, tmp_path / "shims")).interpreter.executable == BASE


def test_a_shim_that_fails_is_skipped(finder, tmp_path):
    write_script(tmp_path / "shims/python3", "echo 'python3: not active' >&2; exit 127")
    choice = chosen(with_path(finder, tmp_path / "shims", tmp_path / "bin"))
    assert choice.interpreter.executable == BASE


def test_variables_do_not_mislead_the_interpreters_on_path(finder):
    lies = {"PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere", "VIRTUAL_ENV": "/nowhere"}
    assert chosen(finder._replace(environ={**finder.environ, **lies})).interpreter.version == VERSION


def test_python3_may_meet_a_requested_range(finder):
    assert requested(finder, ">=3.8").interpreter.executable == BASE


def test_a_requested_range_and_requires_python_both_count(finder, tmp_path):
    older = [python for python in PYTHONS if Version(python.version) < Version(VERSION)]
    if not older:
        pytest.skip("there is only one Python here")
    (tmp_path / "bin/python3.8").symlink_to(older[0].executable)
    choice = requested(
        with_path(finder, tmp_path / "bin", Path(older[0].executable).parent),
        ">=3.8",
        requires_python=SpecifierSet(f"<{VERSION}"),
    )
    assert Version(choice.interpreter.version) < Version(VERSION)


@pytest.mark.parametrize("name", ["python3", "python"])
def test_an_inactive_version_of_a_version_manager_is_found(finder, tmp_path, name):
    prefix = tmp_path / "manager/versions/work"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / name).symlink_to(BASE)
    managed = finder._replace(environ={"PATH": "/nowhere", "PYENV_ROOT": str(tmp_path / "manager")})
    for text in (VERSION, "work", str(prefix)):
        assert requested(managed, text).interpreter.version == VERSION


def test_without_a_suitable_python3_it_is_the_newest_final_release(finder, tmp_path):
    write_script(tmp_path / "bin/python3.99", "exit 1")
    newest = max(Version(python.version) for python in PYTHONS)
    everywhere = with_path(finder, tmp_path / "bin", *{str(Path(python.executable).parent) for python in PYTHONS})
    choice = chosen(everywhere, requires_python=SpecifierSet(f">={newest}"))
    assert Version(choice.interpreter.version) == newest
    assert choice.reason in ("python3 on PATH", f"newest that satisfies requires-python >={newest}")


def test_without_a_suitable_python_the_message_lists_those_that_were_found(finder):
    with pytest.raises(NoInterpreter) as refused:
        chosen(finder, requires_python=SpecifierSet(">=99"))
    assert any(fact.startswith(f"{VERSION}  /") for fact in refused.value.facts)
    assert len(refused.value.facts) <= 8
    assert refused.value.hint


def test_an_interpreter_that_the_lock_supports_is_preferred_to_the_default(finder, tmp_path):
    if len(PYTHONS) < 2:
        pytest.skip("there is only one Python here")
    default = chosen(finder)
    other = next(python for python in PYTHONS if python.minor_version != default.interpreter.minor_version)
    finder = with_path(finder, tmp_path / "bin", Path(other.executable).parent)

    def supports_other(interpreter: Interpreter) -> bool:
        return interpreter.minor_version == other.minor_version

    choice = chosen(finder, lock_supports=supports_other)
    assert (choice.interpreter.minor_version, choice.reason) == (other.minor_version, "newest that the lock supports")
    assert chosen(finder, lock_supports=lambda interpreter: interpreter == default.interpreter) == default
    assert chosen(finder, lock_supports=lambda _: False) == default
    assert requested(finder, BASE, lock_supports=lambda _: False).interpreter == default.interpreter


def test_without_an_environment_an_application_gets_a_python_that_its_lock_supports(
    isolate, application, index, tmp_path
):
    # An older version would need an older pip than isolate's own.
    others = (p for p in PYTHONS if p.minor_version != MINOR_VERSION and p.minor_version.startswith("3.1"))
    other = next(others, None)
    if other is None:
        pytest.skip("there is no other Python here")
    app = application({"requirements.txt": "beta\n"})
    isolate("lock", "--python", other.executable, cwd=app)
    before = (app / "pylock.toml").read_bytes()
    (tmp_path / "only").mkdir()
    (tmp_path / "only/python3").symlink_to(BASE)
    message = isolate("sync", "--locked", cwd=app, status=2, env={"PATH": str(tmp_path / "only")}).err
    assert f'the lock is for python_version == "{other.minor_version}"' in message
    assert f"; this is Python {VERSION}" in message
    assert f"--python {other.minor_version}" in message
    path = os.pathsep.join([str(tmp_path / "only"), str(Path(other.executable).parent)])
    assert "newest that the lock supports" in isolate("sync", "--locked", cwd=app, env={"PATH": path}).out
    assert (app / "pylock.toml").read_bytes() == before
    output = isolate("sync", "--python", VERSION, cwd=app).out
    assert "re-resolved: the lock is for" in output
    assert "wrote pylock.toml" in output
