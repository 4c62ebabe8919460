"""The runner script installs several requirements files at once; its pips end when their parent does."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from isolate.errors import PipFailed, ProgramNotStarted
from isolate.locked import LockedDistribution
from isolate.pip import runner
from isolate.pip.report import read_report
from isolate.pip.runner import PREFIX, REPORT, RUNNER_SCRIPT, Pip
from isolate.pip.settings import pip_environment
from isolate.progress.protocol import NullProgress
from isolate.trace import traced
from kit.packages import build_sdist, build_wheel
from kit.waiting import wait_until


@pytest.fixture(params=["linux", "darwin"])
def platform(request, mocker):
    """Run the test as on a platform where pips are forked, and as on one where each is a new process."""
    mocker.patch.object(runner.sys, "platform", request.param)


@pytest.fixture
def pip(tmp_path, platform):
    environ = {"PIP_NO_INDEX": "1", "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    env = pip_environment(environ, prefix=tmp_path)
    return Pip(python=Path(sys.executable), compat_tag="cp3", version="26.3", env=env)


@pytest.fixture
def requirements_for(pip, tmp_path):
    """Return a function that builds a wheel and writes the requirements file for it."""

    def requirements_for(name):
        wheel = build_wheel(tmp_path / "links", name, "1.0")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        table = {"name": name, "wheels": [{"path": str(wheel), "name": wheel.name, "hashes": {"sha256": digest}}]}
        locked = LockedDistribution(name=name, version="1.0", source_id="x", table=table)
        return pip.write([locked], tmp_path / f"directory-{name}")

    return requirements_for


@pytest.fixture
def requirements_for_build(tmp_path):
    """Return a function that writes the requirements file for an sdist that runs *on_build* when it is built."""

    def requirements_for_build(directory, name, on_build):
        sdist = build_sdist(tmp_path / directory, name, "1.0", on_build=on_build)
        requirements = tmp_path / directory / "requirements.txt"
        requirements.write_text(f"{sdist}\n")
        return requirements

    return requirements_for_build


def installed_modules(requirements):
    return [path.parent.name for path in requirements.parent.glob(f"{PREFIX}/lib/*/site-packages/*/__init__.py")]


def test_each_file_gets_its_own_prefix_report_and_call(pip, requirements_for, tmp_path):
    files = [requirements_for(name) for name in ("one", "two", "three")]
    calls = []

    def on_installed(number):
        calls.append((number, installed_modules(files[number])))

    pip.install(files, tmp_path, jobs=2, report=True, on_installed=on_installed)
    assert sorted(calls) == [(0, ["one"]), (1, ["two"]), (2, ["three"])]
    reports = [read_report((file.parent / REPORT).read_text()) for file in files]
    assert [[item.name for item in report] for report in reports] == [["one"], ["two"], ["three"]]


def test_without_files_no_program_is_started(pip, tmp_path):
    replace(pip, python=Path("/no/such/python")).install([], tmp_path, jobs=2)


def test_a_file_needs_the_python_of_the_pip(pip, requirements_for, tmp_path):
    with pytest.raises(ProgramNotStarted):
        replace(pip, python=Path("/no/such/python")).install([requirements_for("one")], tmp_path)


def test_a_failure_is_explained(pip, requirements_for, tmp_path):
    files = [requirements_for("one"), requirements_for("two")]
    (tmp_path / "links/two-1.0-py3-none-any.whl").unlink()
    with pytest.raises(PipFailed, match=r"two-1\.0-py3-none-any\.whl"):
        pip.install(files, tmp_path, jobs=2)


class RecordingProgress(NullProgress):
    def __init__(self):
        self.details, self.work = [], []

    def detail(self, line):
        self.details.append(line)

    def working(self, text):
        self.work.append(text)


def test_the_output_of_one_pip_does_not_explain_the_failure_of_another(pip, requirements_for_build, tmp_path):
    flag = tmp_path / "slow-has-started"
    start = f"open({str(flag)!r}, 'w').close(); time.sleep(60)"
    slow = requirements_for_build("No space left on device", "slow", start)
    wait = f"while not pathlib.Path({str(flag)!r}).exists(): time.sleep(0.01)"
    bad = requirements_for_build("elsewhere", "bad", f"{wait}\nraise RuntimeError('out of luck')")
    progress = RecordingProgress()

    with pytest.raises(PipFailed) as failure, traced(progress, verbosity=2):
        replace(pip, progress=progress).install([slow, bad], tmp_path, jobs=2)

    assert "bad-1.0.tar.gz could not be built" in str(failure.value)
    assert "slow" not in failure.value.output
    assert any("No space left on device/slow-1.0" in line for line in progress.details)
    assert [text.split()[0] for text in progress.work].count("Getting") >= 2
    assert not any(runner.RECORD_SEPARATOR in text for text in (*progress.details, *progress.work))


def test_output_is_reported_while_pip_runs(pip, requirements_for_build, tmp_path):
    class FailingProgress(NullProgress):
        def detail(self, line):
            if "slow-1.0" in line:
                raise KeyError(line)

    started = time.monotonic()
    slow = requirements_for_build("one", "slow", "time.sleep(60)")
    with pytest.raises(KeyError), traced(FailingProgress(), verbosity=2):
        pip.install([slow], tmp_path)
    assert time.monotonic() - started < 30


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the streams of other processes in /proc")
def test_a_process_that_a_build_leaves_behind_does_not_delay_the_install(pip, requirements_for_build, tmp_path):
    stdout_of_pip = "open(f'/proc/{os.getppid()}/fd/1', 'wb')"
    leave = f"subprocess.Popen(['sleep', '20'], stdout={stdout_of_pip}, stderr=subprocess.DEVNULL)"
    file = requirements_for_build("one", "one", f"import os, subprocess; {leave}")
    started = time.monotonic()
    pip.install([file], tmp_path)
    assert installed_modules(file) == ["one"]
    assert time.monotonic() - started < 15


def test_an_exception_of_on_installed_is_passed_on(pip, requirements_for, tmp_path):
    def on_installed(number):
        raise KeyError(number)

    with pytest.raises(KeyError):
        pip.install([requirements_for("one"), requirements_for("two")], tmp_path, on_installed=on_installed)


def test_a_python_that_fails_at_its_start_is_explained(pip, requirements_for, tmp_path):
    with pytest.raises(PipFailed, match="pip failed"):
        replace(pip, python=Path("/bin/false")).install([requirements_for("one")], tmp_path)


def test_a_module_in_the_current_directory_is_not_imported(pip, requirements_for, tmp_path):
    for name in ("pip", "json", "ctypes"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not the real one')")
    file = requirements_for("one")
    pip.install([file], tmp_path)
    assert installed_modules(file) == ["one"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can kill the children of a killed process")
@pytest.mark.parametrize("fork", [True, False])
def test_pips_die_with_the_runner_script(fork, index, tmp_path):
    index.misbehave("^/files/", "hang")
    env = pip_environment({"PIP_INDEX_URL": index.url, "PATH": os.environ["PATH"]}, prefix=tmp_path)
    run = [str(tmp_path / "pip.log"), "install", "--prefix", str(tmp_path / "prefix"), "alpha"]
    script = start_runner({"runs": [run, run], "jobs": 2, "fork": fork, "separator": ""}, env)
    wait_until(lambda: len(index.fetched()) > 1)
    pips = children_of(script.pid)
    assert len(pips) == 2
    script.send_signal(signal.SIGKILL)
    script.wait()
    wait_until(lambda: not any(map(is_running, pips)))


def start_runner(task, env):
    argv = [sys.executable, "-I", RUNNER_SCRIPT]
    process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    process.stdin.write(json.dumps(task).encode())
    process.stdin.close()
    return process


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
