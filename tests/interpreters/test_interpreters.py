"""Which Python an application gets: real ones, and what only looks like one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import packaging
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.tags import parse_tag
from packaging.version import Version

from conftest import SOURCE
from isolate.errors import DeclarationError, IsolateError, NoInterpreter
from isolate.interpreters import discovery
from isolate.interpreters.discovery import describe
from isolate.interpreters.interpreter import Interpreter
from isolate.interpreters.request import PythonRequest
from isolate.interpreters.select import choose, version_file_of

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
    with pytest.raises(NoInterpreter, match=r"not installed|neither .*no/such/python nor .* is a file"):
        chosen(cache, environ, asked=asked)


def test_a_program_that_is_no_python_is_refused(cache, environ, tmp_path):
    fake = tmp_path / "bin/fake"
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)
    with pytest.raises(NoInterpreter):
        describe(str(fake), cache=cache, environ=environ)


@pytest.fixture
def interrogated(monkeypatch):
    """Return the list of executables that were asked, which grows."""
    asked = []
    real = discovery._query
    monkeypatch.setattr(discovery, "_interrogated", lambda one, environ: asked.append(one) or real(one, environ))
    return asked


def test_facts_are_remembered_until_the_binary_changes(cache, environ, tmp_path, interrogated):
    copy = tmp_path / "bin/python3.x"
    copy.symlink_to(BASE)
    first = describe(str(copy), cache=cache, environ=environ)
    assert describe(str(copy), cache=cache, environ=environ) == first
    assert len(interrogated) == 1
    copy.unlink()
    copy.write_text(f'#!/bin/sh\nexec {BASE} "$@"\n')
    copy.chmod(0o755)
    describe(str(copy), cache=cache, environ=environ)
    assert len(interrogated) == 2


def test_facts_are_asked_for_anew_when_the_base_was_replaced(cache, environ, interrogated):
    describe(BASE, cache=cache, environ=environ)
    record = next(cache.glob("*.json"))
    table = json.loads(record.read_text())
    table["found"]["identity"] = "another"
    record.write_text(json.dumps(table))
    assert describe(BASE, cache=cache, environ=environ).identity != "another"
    assert len(interrogated) == 2


@pytest.mark.parametrize("content", ["", "[]", "{", '{"asked": 1}', '{"asked": [], "found": {"version": 1}}'])
def test_a_record_that_was_spoilt_is_no_obstacle(cache, environ, content):
    describe(BASE, cache=cache, environ=environ)
    next(cache.glob("*.json")).write_text(content)
    assert describe(BASE, cache=cache, environ=environ).version == VERSION


def test_facts_need_no_cache(environ):
    assert describe(BASE, cache=None, environ=environ).version == VERSION


def test_what_is_remembered_costs_no_heavy_import(cache, environ):
    describe(BASE, cache=cache, environ=environ)
    code = f"""if True:
        import sys
        from pathlib import Path
        from isolate.interpreters.select import choose
        choice = choose(asked=None, version_file=None, current=None, requires_python=None, cache=Path({str(cache)!r}),
                        environ={{"PATH": {str(Path(BASE).parent)!r}}})
        print(choice.interpreter.version, *({{"python_discovery", "packaging", "logging"}} & set(sys.modules)))
    """
    chosen(cache, {**environ, "PATH": str(Path(BASE).parent)})
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [VERSION]


def test_misleading_variables_do_not_mislead(cache, environ):
    lies = {"PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere", "VIRTUAL_ENV": "/nowhere"}
    assert chosen(cache, {**environ, **lies}).interpreter.version == VERSION


def test_what_was_asked_for_goes_before_the_setting_and_that_before_the_version_file(cache, environ, tmp_path):
    setting, version_file = (BASE, tmp_path / "pyproject.toml"), ("3.99", tmp_path / ".python-version")
    by_setting = chosen(cache, environ, setting=setting, version_file=version_file)
    assert by_setting.reason == f'python = "{BASE}" in pyproject.toml'
    asked = chosen(cache, environ, asked=BASE, setting=("3.99", tmp_path / "pyproject.toml"))
    assert asked.reason == f"--python {BASE}"


def test_a_setting_is_named_as_one_and_its_path_begins_at_its_file(cache, environ, tmp_path):
    file = tmp_path / "app/pyproject.toml"
    with pytest.raises(NoInterpreter) as refused:
        chosen(cache, environ, setting=("9.9", file))
    assert str(refused.value).startswith('python = "9.9" in pyproject.toml asks for a Python that is not installed')
    (tmp_path / "app/tools").mkdir(parents=True)
    (tmp_path / "app/tools/python").symlink_to(BASE)
    assert chosen(cache, environ, setting=("tools/python", file)).interpreter.version == VERSION


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
    for one in discovery.every(cache=None, environ=os.environ):
        if one.implementation == "cpython" and tuple(map(int, one.short.split("."))) >= (3, 8):
            found.setdefault(one.short, one)
    return [found[short] for short in sorted(found)]


OTHERS = others()
each_version = pytest.mark.parametrize("interpreter", OTHERS, ids=[one.version for one in OTHERS])


def tags_in(interpreter, module, *, path=""):
    """Return the tags that *module*, of *path*, makes inside *interpreter*; skip where it cannot."""
    code = f"import sys; sys.path.insert(0, {path!r}); from {module} import sys_tags; print(*sys_tags())"
    argv = [interpreter.executable, "-I", "-W", "ignore", "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{interpreter.version} cannot import {module}")
    return done.stdout.split()


@each_version
def test_tags_are_those_that_the_interpreters_own_pip_gives(interpreter):
    """But for the order of platforms, and one tag that is rarely seen: they changed from one release to another."""
    theirs = tags_in(interpreter, "pip._vendor.packaging.tags")
    ours = [str(tag) for tag in interpreter.tags()]
    assert set(theirs) <= set(ours) <= {*theirs, f"cp{interpreter.short.replace('.', '')}-none-any"}
    assert without_platforms(theirs) == without_platforms(ours)


def without_platforms(tags):
    return list(dict.fromkeys(tag.rpartition("-")[0] for tag in tags if not tag.endswith("-any")))


@each_version
def test_tags_are_to_the_letter_those_of_the_same_library_inside_the_interpreter(interpreter):
    ours = [str(tag) for tag in interpreter.tags()]
    assert ours == tags_in(interpreter, "packaging.tags", path=str(Path(packaging.__file__).parents[1]))


@each_version
def test_facts_are_what_the_interpreter_says_of_itself(interpreter):
    code = "import sys, sysconfig, platform; print(platform.python_version(), sysconfig.get_platform(), sys.prefix)"
    argv = [interpreter.executable, "-I", "-c", code]
    version, platform, _ = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    assert (interpreter.version, interpreter.platform) == (version, platform)
    assert interpreter.markers["python_full_version"] == version
    assert len(interpreter.markers) == 11


def made_up(version, implementation="cpython", platform="linux-x86_64", *, free_threaded=False, **markers):
    return Interpreter(
        executable=f"/opt/{implementation}{version}/bin/python",
        version=version,
        implementation=implementation,
        platform=platform,
        free_threaded=free_threaded,
        markers=markers,
        identity="made up",
    )


def test_a_free_threaded_python_takes_no_wheels_of_the_other_kind():
    tags = set(made_up("3.13.0", free_threaded=True).tags())
    platform = next(iter(tags)).platform
    assert {tag.abi for tag in tags} <= {"cp313t", "abi3t", "none"}
    assert parse_tag(f"cp313-abi3-{platform}").isdisjoint(tags)
    assert parse_tag("cp313-none-any") <= tags


def test_pypy_takes_its_own_wheels_and_pure_ones():
    tags = made_up("3.10.14", "pypy", implementation_version="7.3.17").tags()
    assert str(tags[0]).startswith("pp310-pypy310_pp73-")
    assert {"pp3-none-any", "py3-none-any"} <= set(map(str, tags))


@pytest.mark.parametrize(
    ("interpreter", "kind"),
    [
        (made_up("3.11.7"), "cp311-linux_x86_64"),
        (made_up("3.13.0", platform="macosx-11.0-arm64", free_threaded=True), "cp313t-macosx_11_0_arm64"),
        (made_up("3.10.14", "pypy"), "pp310-linux_x86_64"),
        (made_up("3.15.0a2"), "cp315-linux_x86_64"),
    ],
)
def test_a_kind_says_what_binary_wheels_depend_on(interpreter, kind):
    assert interpreter.kind == kind


def test_an_interpreter_survives_being_written_down(cache, environ):
    interpreter = describe(BASE, cache=cache, environ=environ)
    assert Interpreter.from_dict(json.loads(json.dumps(interpreter.to_dict()))) == interpreter
    assert interpreter.kind.startswith(f"cp{sys.version_info[0]}{sys.version_info[1]}-")


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_shim_leads_to_the_real_one(cache, environ, tmp_path):
    script(tmp_path / "shims/python3", f'exec {BASE} "$@"')
    choice = chosen(cache, {**environ, "PATH": str(tmp_path / "shims")})
    assert choice.interpreter.executable == BASE


def test_what_a_shim_leads_to_is_decided_anew_each_time(cache, environ, tmp_path, interrogated):
    shim = str(script(tmp_path / "shims/python3", f'exec {BASE} "$@"'))
    describe(shim, cache=cache, environ=environ)
    describe(shim, cache=cache, environ=environ)
    assert interrogated == [shim, shim]


def test_a_shim_that_fails_is_passed_over(cache, environ, tmp_path):
    script(tmp_path / "shims/python3", "echo 'python3: not active' >&2; exit 127")
    path = os.pathsep.join([str(tmp_path / "shims"), environ["PATH"]])
    assert chosen(cache, {**environ, "PATH": path}).interpreter.executable == BASE


def test_what_interpreters_say_of_their_own_accord_does_not_show(cache, environ, tmp_path, capfd):
    chatty = script(tmp_path / "chatty/python3", f'echo hello; echo oops >&2; exec {BASE} "$@"')
    assert describe(str(chatty), cache=cache, environ=environ).version == VERSION
    silent = script(tmp_path / "silent/python3", "echo 'no python at all'")
    with pytest.raises(NoInterpreter):
        describe(str(silent), cache=cache, environ=environ)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["python", "python3", f"python{VERSION.rpartition('.')[0]}"])
def test_one_interpreter_has_one_name_whichever_it_was_found_by(cache, environ, name):
    path = Path(BASE).with_name(name)
    if not path.exists():
        pytest.skip(f"there is no {name} here")
    assert describe(str(path), cache=cache, environ=environ).executable == BASE


def test_an_environment_of_an_environment_leads_to_the_base(cache, environ, tmp_path):
    subprocess.run([BASE, "-m", "venv", "--without-pip", tmp_path / "one"], check=True)
    subprocess.run([tmp_path / "one/bin/python", "-m", "venv", "--without-pip", tmp_path / "two"], check=True)
    for asked in (tmp_path / "two", tmp_path / "two/bin/python"):
        assert chosen(cache, environ, asked=str(asked)).interpreter.executable == BASE


def test_an_environment_with_a_copied_binary_leads_to_the_base(cache, environ, tmp_path):
    subprocess.run([BASE, "-m", "venv", "--without-pip", "--copies", tmp_path / "env"], check=True)
    assert chosen(cache, environ, asked=str(tmp_path / "env")).interpreter.executable == BASE


def test_a_relative_path_in_a_version_file_starts_at_the_file(cache, environ, tmp_path):
    subprocess.run([BASE, "-m", "venv", "--without-pip", tmp_path / "project/env"], check=True)
    found = chosen(cache, environ, version_file=("./env", tmp_path / "project/.python-version"))
    assert found.interpreter.executable == BASE


def test_a_relative_path_that_is_asked_for_starts_here(cache, environ, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert chosen(cache, environ, asked="bin/python3").interpreter.executable == BASE


def test_the_range_that_is_asked_for_may_be_met_by_python3(cache, environ):
    assert chosen(cache, environ, asked=">=3.8").interpreter.executable == BASE


def test_what_is_asked_for_and_what_is_allowed_are_both_heeded(cache, environ, tmp_path):
    older = [one for one in OTHERS if Version(one.version) < Version(VERSION)]
    if not older:
        pytest.skip("there is only one Python here")
    (tmp_path / "bin/python3.8").symlink_to(older[0].executable)
    found = chosen(
        cache,
        {"PATH": os.pathsep.join([environ["PATH"], str(Path(older[0].executable).parent)]), "HOME": str(tmp_path)},
        asked=">=3.8",
        requires_python=SpecifierSet(f"<{VERSION}"),
    )
    assert Version(found.interpreter.version) < Version(VERSION)


@pytest.mark.parametrize("name", ["python3", "python"])
def test_a_version_that_a_manager_keeps_is_found_though_it_is_not_active(cache, tmp_path, name):
    prefix = tmp_path / "manager/versions/work"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / name).symlink_to(BASE)
    for asked in (VERSION, "work", str(prefix)):
        found = chosen(cache, {"PATH": "/nowhere", "PYENV_ROOT": str(tmp_path / "manager")}, asked=asked)
        assert found.interpreter.version == VERSION


def test_the_newest_final_one_is_taken_where_python3_does_not_fit(cache, environ):
    script(Path(environ["PATH"], "python3.99"), "exit 1")
    newest = max(Version(one.version) for one in OTHERS)
    path = os.pathsep.join([environ["PATH"], *{str(Path(one.executable).parent) for one in OTHERS}])
    allowed = SpecifierSet(f">={newest}")
    found = chosen(cache, {**environ, "PATH": path}, requires_python=allowed)
    assert Version(found.interpreter.version) == newest
    assert found.reason in ("python3 on PATH", f"the newest that meets requires-python >={newest}")


def test_a_python_that_is_too_old_is_refused_though_it_is_not_even_here(cache, environ):
    for asked in ("3.7", "python3.7", "2.7.18", "cpython-3.6"):
        with pytest.raises(NoInterpreter, match=r"too old: environments are made for 3.8 and later"):
            chosen(cache, environ, asked=asked)


def test_a_current_one_that_is_gone_is_replaced(cache, environ):
    gone = made_up("3.11.7")
    assert chosen(cache, environ, current=gone).reason == "python3 on PATH"


def test_a_current_one_that_was_replaced_is_described_anew(cache, environ):
    current = Interpreter.from_dict({**describe(BASE, cache=cache, environ=environ).to_dict(), "identity": "older"})
    found = chosen(cache, environ, current=current)
    assert found.reason == "the environment has it"
    assert found.interpreter.identity != "older"


def test_of_those_that_are_usual_one_that_the_lock_is_for_goes_first(cache, environ):
    if len(OTHERS) < 2:
        pytest.skip("there is one Python here")
    usual = chosen(cache, environ)
    wanted = next(one for one in OTHERS if one.short != usual.interpreter.short)
    environ = {**environ, "PATH": f"{environ['PATH']}{os.pathsep}{Path(wanted.executable).parent}"}
    found = chosen(cache, environ, served=lambda one: one.short == wanted.short)
    assert (found.interpreter.short, found.reason) == (wanted.short, "the newest that the lock is for")
    assert chosen(cache, environ, served=lambda one: one == usual.interpreter) == usual
    assert chosen(cache, environ, served=lambda _: False) == usual
    assert chosen(cache, environ, asked=BASE, served=lambda _: False).interpreter == usual.interpreter


def test_an_application_without_an_environment_gets_the_python_that_its_lock_is_for(
    isolate, application, index, tmp_path
):
    here = ".".join(VERSION.split(".")[:2])  # and of the others one that needs no older pip than ours
    wanted = next((one for one in OTHERS if one.short != here and one.short.startswith("3.1")), None)
    if wanted is None:
        pytest.skip("there is no other Python here")
    app = application({"requirements.txt": "beta\n"})
    isolate("lock", "--python", wanted.executable, cwd=app)
    before = (app / "pylock.toml").read_bytes()
    (tmp_path / "only").mkdir()
    (tmp_path / "only/python3").symlink_to(BASE)
    message = isolate("sync", "--locked", cwd=app, status=2, env={"PATH": str(tmp_path / "only")}).err
    assert f'it is for python_version == "{wanted.short}"' in message
    assert f"and this is Python {VERSION}" in message
    assert f"--python {wanted.short}" in message
    path = os.pathsep.join([str(tmp_path / "only"), str(Path(wanted.executable).parent)])
    assert "the newest that the lock is for" in isolate("sync", "--locked", cwd=app, env={"PATH": path}).out
    assert (app / "pylock.toml").read_bytes() == before
    said = isolate("sync", "--python", VERSION, cwd=app).out
    assert "decided anew: it is for" in said
    assert "wrote pylock.toml" in said


def test_nothing_that_fits_shows_what_there_is(cache, environ):
    with pytest.raises(NoInterpreter) as refused:
        chosen(cache, environ, requires_python=SpecifierSet(">=99"))
    assert any(line.startswith(f"{VERSION}  /") for line in refused.value.facts)
    assert len(refused.value.facts) <= 8
    assert refused.value.hint


@pytest.mark.parametrize("asked", ["rm", "", " ", "-x", "~", ">=x", "3.x", "python three"])
def test_what_names_no_python_is_refused_and_not_run(cache, environ, asked, tmp_path):
    script(tmp_path / "bin/rm", f"touch {tmp_path}/was-run")
    with pytest.raises(NoInterpreter, match="names no Python"):
        chosen(cache, environ, asked=asked)
    assert not (tmp_path / "was-run").exists()


WISHES = {
    "3.12": "3.12.1",
    "3.12.1": "3.12.1",
    "3": "3.12.1",
    "python3.12": "3.12.1",
    "cpython-3.12": "3.12.1",
    "cpython@3.12": "3.12.1",
    "cpython-3.12.1-linux-x86_64-gnu": "3.12.1",
    "3.14-dev": "3.14.0a3",
    "3.14.0a3": "3.14.0a3",
    ">=3.13": "3.14.0a3",
    "system": "3.12.1",
}


@pytest.mark.parametrize("text", WISHES)
def test_a_version_is_understood_as_it_is_commonly_written(text):
    request = PythonRequest(text=text, source="", folder=Path())
    assert request.is_met_by(made_up(WISHES[text]))


@pytest.mark.parametrize(
    ("text", "version"),
    [("3.1", "3.12.1"), ("3.12", "3.11.12"), ("3.14.0", "3.14.0a3"), ("3.12t", "3.12.1"), ("pypy3.12", "3.12.1")],
)
def test_a_version_is_not_taken_for_another(text, version):
    assert not PythonRequest(text=text, source="", folder=Path()).is_met_by(made_up(version))


def test_kinds_of_pythons_are_told_apart():
    pypy, threaded = made_up("3.10.14", "pypy"), made_up("3.13.0", free_threaded=True)
    assert PythonRequest(text="pypy3.10-7.3.17", source="", folder=Path()).is_met_by(pypy)
    assert not PythonRequest(text="cpython-3.10", source="", folder=Path()).is_met_by(pypy)
    assert PythonRequest(text="3.13t", source="", folder=Path()).is_met_by(threaded)
    assert not PythonRequest(text="3.13", source="", folder=Path()).is_met_by(threaded)


@given(st.text())
def test_any_wish_is_met_or_not_or_refused_with_words(text):
    request = PythonRequest(text=text, source="--python", folder=Path())
    try:
        met = request.is_met_by(made_up("3.12.1"))
    except IsolateError as error:
        assert error.hint
    else:
        assert met in (True, False)
        assert all("/" not in command for command in request.commands)


@pytest.mark.parametrize(
    ("text", "wanted"), [("3.12\n3.11\n", "3.12"), ("\ufeff3.12\r\n", "3.12"), ("\n  # so\n pypy3.10 \n", "pypy3.10")]
)
def test_the_first_line_of_a_version_file_counts(tmp_path, text, wanted):
    (tmp_path / ".python-version").write_bytes(text.encode())
    assert version_file_of(tmp_path) == (wanted, tmp_path / ".python-version")
