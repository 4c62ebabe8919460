"""Several pips that share one start install what as many single ones would, and end with whoever started them."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from isolate.errors import PipFailed
from isolate.locked import LockedDistribution
from isolate.pip import runner
from isolate.pip.report import read_report
from isolate.pip.runner import PREFIX, REPORT, Pip
from isolate.pip.settings import pip_environment
from isolate.progress.protocol import NullProgress
from kit.index import wait_until
from kit.packages import build_sdist, build_wheel


@pytest.fixture(params=["linux", "darwin"])
def kind_of_machine(request, mocker):
    """A machine on which pips may be forked, and one on which each is started anew."""
    mocker.patch.object(runner.sys, "platform", request.param)


@pytest.fixture
def pip(tmp_path, kind_of_machine):
    environ = {"PIP_NO_INDEX": "1", "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    env = pip_environment(environ, prefix=tmp_path)
    return Pip(python=Path(sys.executable), compat_tag="cp3", version="26.3", env=env)


@pytest.fixture
def wanted(pip, tmp_path):
    """Return what makes a requirements file for a distribution of this name, which is there or is not."""

    def wanted(name, *, there=True):
        wheel = build_wheel(tmp_path / "links", name, "1.0")
        archive = {
            "path": str(wheel),
            "name": wheel.name,
            "hashes": {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()},
        }
        locked = LockedDistribution(name=name, version="1.0", source_id="x", table={"name": name, "wheels": [archive]})
        if not there:
            wheel.unlink()
        return pip.write([locked], tmp_path / f"folder-{name}")

    return wanted


def modules(requirements):
    return [path.parent.name for path in requirements.parent.glob(f"{PREFIX}/lib/*/site-packages/*/__init__.py")]


def test_each_gets_a_prefix_and_a_report_of_its_own_and_is_told_when_it_is_there(pip, wanted, tmp_path):
    files = [wanted(name) for name in ("one", "two", "three")]
    installed = []

    def take(number):
        installed.append((number, modules(files[number])))

    pip.install(files, tmp_path, at_once=2, report=True, on_installed=take)
    assert sorted(installed) == [(0, ["one"]), (1, ["two"]), (2, ["three"])]
    reports = [read_report((file.parent / REPORT).read_text()) for file in files]
    assert [[item.name for item in report] for report in reports] == [["one"], ["two"], ["three"]]


def test_no_file_is_no_work(pip, tmp_path):
    pip.install([], tmp_path, at_once=2)


def test_what_one_cannot_do_is_explained(pip, wanted, tmp_path):
    files = [wanted("one"), wanted("two", there=False)]
    with pytest.raises(PipFailed) as failed:
        pip.install(files, tmp_path, at_once=2)
    assert "two-1.0-py3-none-any.whl" in str(failed.value)


class Heard(NullProgress):
    def __init__(self):
        self.details, self.works = [], []

    def detail(self, line):
        self.details.append(line)

    def working(self, text):
        self.works.append(text)


@pytest.fixture
def asked(tmp_path):
    """Return what makes a requirements file, in a folder of this name, for an sdist that does this when it is built."""

    def asked(folder, name, on_build):
        sdist = build_sdist(tmp_path / folder, name, "1.0", on_build=on_build)
        (tmp_path / folder / "wanted.txt").write_text(f"{sdist}\n")
        return tmp_path / folder / "wanted.txt"

    return asked


def test_what_one_says_explains_no_failure_of_another_and_both_are_heard(pip, asked, tmp_path):
    begun = tmp_path / "begun"
    slow = asked("No space left on device", "slow", f"open({str(begun)!r}, 'w').close(); time.sleep(60)")
    waits = f"while not pathlib.Path({str(begun)!r}).exists(): time.sleep(0.01)"
    bad = asked("elsewhere", "bad", f"{waits}\nraise RuntimeError('out of luck')")
    heard = Heard()
    with pytest.raises(PipFailed) as failed:
        replace(pip, progress=heard).install([slow, bad], tmp_path, at_once=2)
    assert "bad-1.0.tar.gz could not be built" in str(failed.value)
    assert "slow" not in failed.value.output
    assert any("No space left on device/slow-1.0" in line for line in heard.details)
    assert [line.split()[0] for line in heard.works].count("Getting") >= 2
    assert not any(runner.RECORD_SEPARATOR in line for line in (*heard.details, *heard.works))


def test_what_a_pip_says_is_heard_while_it_works(pip, asked, tmp_path):
    class Hasty(NullProgress):
        def detail(self, line):
            if "slow-1.0" in line:
                raise KeyError(line)

    started = time.monotonic()
    with pytest.raises(KeyError):
        replace(pip, progress=Hasty()).install([asked("one", "slow", "time.sleep(60)")], tmp_path)
    assert time.monotonic() - started < 30


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the streams of other processes")
def test_a_pip_that_has_ended_is_not_waited_for_because_of_what_its_build_left_running(pip, asked, tmp_path):
    stream = "open(f'/proc/{os.getppid()}/fd/1', 'wb')"
    leave = f"subprocess.Popen(['sleep', '20'], stdout={stream}, stderr=subprocess.DEVNULL)"
    files = [asked("one", "one", f"import os, subprocess; {leave}")]
    started = time.monotonic()
    pip.install(files, tmp_path)
    assert modules(files[0]) == ["one"]
    assert time.monotonic() - started < 15


def test_what_fails_when_one_is_there_ends_them_all(pip, wanted, tmp_path):
    def take(number):
        raise KeyError(number)

    with pytest.raises(KeyError):
        pip.install([wanted("one"), wanted("two")], tmp_path, on_installed=take)


def test_a_pip_that_cannot_even_start_is_explained(pip, wanted, tmp_path):
    broken = Pip(python=Path("/bin/false"), compat_tag=pip.compat_tag, version=pip.version, env=pip.env)
    with pytest.raises(PipFailed):
        broken.install([wanted("one")], tmp_path)


def test_a_module_in_the_current_directory_does_not_stand_in_for_one_of_pip(pip, wanted, tmp_path):
    for name in ("pip", "json", "ctypes"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not the real one')")
    files = [wanted("one")]
    pip.install(files, tmp_path)
    assert modules(files[0]) == ["one"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends those whose parent was killed")
@pytest.mark.parametrize("fork", ["true", "false"])
def test_none_outlives_whoever_started_them(fork, index, tmp_path):
    build_wheel(index.folder, "alpha", "1.0")
    index.misbehave("^/files/", "hang")
    env = {**pip_environment({"PIP_INDEX_URL": index.url, "PATH": os.environ["PATH"]}, prefix=tmp_path)}
    run = f'["install", "--prefix", "{tmp_path}/prefix", "alpha"]'
    child = subprocess.Popen(
        [sys.executable, "-I", runner.SEVERAL], env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    child.stdin.write(f'{{"fork": {fork}, "at_once": 2, "mark": "", "runs": [{run}, {run}]}}'.encode())
    child.stdin.close()
    wait_until(lambda: len(index.fetched()) > 1)
    started = children_of(child.pid)
    assert len(started) == 2
    child.send_signal(signal.SIGKILL)
    child.wait()
    wait_until(lambda: not any(map(is_running, started)))


def children_of(process):
    tasks = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(number) for number in tasks.split()]


def is_running(process):
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
