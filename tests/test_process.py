"""Programs run to their end, and none of them outlives isolate."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from conftest import SOURCE
from isolate import child_output, process
from isolate.child_output import Listener
from isolate.errors import IsolateError
from kit.waiting import wait_until

ENVIRON = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def python(tmp_path):
    """Return a function that runs a few lines of Python with `process.run`."""

    def run(code, *, env=ENVIRON, stdin="", **listeners):
        argv = [sys.executable, "-c", textwrap.dedent(code)]
        return process.run(argv, env=env, cwd=tmp_path, listener=Listener(**listeners), stdin=stdin)

    return run


def is_alive(number):
    """Return whether a process is running; one that has ended and waits for its parent is not."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True, check=False)
    return not shown.stdout.startswith("Z")


class Interruption(Exception):
    """An exception while a program runs."""


def test_both_streams_and_the_status_are_kept_apart(python):
    done = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (done.status, done.output, done.errors) == (3, "out\n", "err\n")


def test_a_signal_is_a_negative_status(python):
    assert python("import os; os.kill(os.getpid(), 9)").status == -signal.SIGKILL


def test_a_program_without_input_reads_the_end_of_file(python):
    assert python("import sys; print(repr(sys.stdin.read()))").output == "''\n"


def test_a_program_gets_this_environment_and_no_other(python, monkeypatch):
    monkeypatch.setenv("NOT_FOR_IT", "1")
    code = "import os; print(os.environ.get('NOT_FOR_IT'), os.environ['FOR_IT'])"
    assert python(code, env={**ENVIRON, "FOR_IT": "yes"}).output == "None yes\n"


def test_paths_may_be_arguments(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("print('here')")
    assert process.run([sys.executable, script], env=ENVIRON, cwd=tmp_path).output == "here\n"


def test_much_output_on_both_streams_at_once_does_not_block(python):
    code = """
        import sys
        for _ in range(2000):
            sys.stdout.write("o" * 999 + "\\n")
            sys.stderr.write("e" * 999 + "\\n")
    """
    done = python(code)
    assert len(done.output) == len(done.errors) == 2_000_000


def test_lines_are_reported_as_they_come(python, tmp_path):
    heard = []

    def hear(line):
        heard.append(line)
        (tmp_path / "heard").touch()

    code = """
        import os, sys, time
        print("first")
        while not os.path.exists("heard"):
            time.sleep(0.01)
        sys.stderr.write("second\\r\\nno end")
    """
    python(code, on_line=hear)
    assert heard == ["first", "second", "no end"]


def test_bytes_that_are_not_text_are_replaced(python):
    done = python("import sys; sys.stdout.buffer.write(b'a\\xffb\\xc3\\xa9')")
    assert done.output == "a\ufffdbé"


def test_a_character_that_arrives_in_two_parts_is_one(python):
    code = """
        import sys, time
        for part in (b'\\xc3', b'\\xa9\\n'):
            sys.stdout.buffer.write(part); sys.stdout.flush(); time.sleep(0.2)
    """
    heard = []
    assert python(code, on_line=heard.append).output == "é\n"
    assert heard == ["é"]


def test_idle_time_is_reported_again_and_again_until_there_is_output(python, monkeypatch):
    monkeypatch.setattr(child_output, "IDLE_INTERVAL", 0.6)
    monkeypatch.setattr(child_output, "POLL_INTERVAL", 0.1)
    reported = []
    python("import time; time.sleep(1.5); print('x'); time.sleep(0.9)", on_idle=reported.append)
    assert [round(seconds, 1) for seconds in reported] == pytest.approx([0.6, 1.2, 0.6], abs=0.25)


def test_a_program_with_output_is_not_reported_as_idle(python, monkeypatch):
    monkeypatch.setattr(child_output, "IDLE_INTERVAL", 0.5)
    reported = []
    python("import time\nfor _ in range(10): print(); time.sleep(0.1)", on_idle=reported.append)
    assert reported == []


def test_a_missing_program_is_named_with_the_reason(tmp_path):
    with pytest.raises(IsolateError, match=r"/no/such cannot be started: No such file"):
        process.run(["/no/such"], env={}, cwd=tmp_path)


def test_a_program_without_permission_is_named_with_the_reason(tmp_path):
    (tmp_path / "plain").write_text("text")
    with pytest.raises(IsolateError, match=r"plain cannot be started: (Permission denied|Exec format error)"):
        process.run([str(tmp_path / "plain")], env={}, cwd=tmp_path)


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(IsolateError, match=r"cannot be started in .*/gone: No such file"):
        process.run([sys.executable, "-V"], env={}, cwd=tmp_path / "gone")


STUBBORN = """
    import os, signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child.stdout.readline()
    print(os.getpid(), child.pid)
    time.sleep(60)
"""


@pytest.mark.parametrize("interruption", [Interruption, KeyboardInterrupt, SystemExit])
def test_an_exception_while_waiting_ends_the_whole_group(python, interruption):
    """Both processes ignore SIGTERM."""
    running = []

    def hear(line):
        running.extend(map(int, line.split()))
        raise interruption

    started = time.monotonic()
    with pytest.raises(interruption):
        python(STUBBORN, on_line=hear)
    assert time.monotonic() - started < 10
    assert len(running) == 2
    wait_until(lambda: not any(map(is_alive, running)))


def test_a_program_that_handles_sigterm_may_clean_up(python, tmp_path):
    code = """
        import pathlib, signal, sys, time
        def clean_up(*_):
            pathlib.Path("clean").touch()
            sys.exit()
        signal.signal(signal.SIGTERM, clean_up)
        print("ready")
        time.sleep(60)
    """

    def hear(_):
        raise Interruption

    with pytest.raises(Interruption):
        python(code, on_line=hear)
    assert (tmp_path / "clean").exists()


def test_a_process_that_a_program_leaves_behind_does_not_block(python, monkeypatch):
    monkeypatch.setattr(child_output, "DRAIN_TIMEOUT", 0.5)
    code = """
        import subprocess, sys
        print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid)
    """
    started = time.monotonic()
    done = python(code)
    assert done.status == 0
    assert time.monotonic() - started < 20
    wait_until(lambda: not is_alive(int(done.output)))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a parent-death signal")
def test_a_program_ends_even_if_isolate_is_killed(tmp_path):
    inner = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    code = f"""
        import sys, pathlib
        from isolate import process
        from isolate.child_output import Listener
        say = lambda line: print(line, flush=True)
        process.run([sys.executable, "-c", {inner!r}], env={{}}, cwd=pathlib.Path.cwd(), listener=Listener(say))
    """
    argv = [sys.executable, "-c", textwrap.dedent(code)]
    environ = {**ENVIRON, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(argv, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: not is_alive(child))


def test_programs_can_be_started_from_a_process_with_several_threads(python):
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        assert python("print('here')").output == "here\n"
    finally:
        stop.set()
        other.join()


def run_exec(code, tmp_path, **environ):
    """Run *code*, which calls `exec_program`, as a process of its own."""
    argv = [sys.executable, "-c", f"import os\nfrom isolate.process import exec_program\n{textwrap.dedent(code)}"]
    environ = {**ENVIRON, "PYTHONPATH": str(SOURCE), **environ}
    return subprocess.run(argv, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)


def test_exec_keeps_the_process_and_replaces_the_program(tmp_path):
    code = "print(os.getpid(), flush=True); exec_program(['sh', '-c', 'echo $$; exit 7'], os.environ)"
    done = run_exec(code, tmp_path)
    assert len(set(done.stdout.split())) == 1
    assert done.returncode == 7


def test_exec_searches_the_path_of_the_new_environment(tmp_path):
    (tmp_path / "tool").write_text("#!/bin/sh\necho found $NEW\n")
    (tmp_path / "tool").chmod(0o755)
    done = run_exec(f"exec_program(['tool'], {{'PATH': {str(tmp_path)!r}, 'NEW': 'it'}})", tmp_path)
    assert done.stdout == "found it\n"


def test_exec_lets_a_closed_pipe_end_the_program(tmp_path):
    """As when a shell starts it: Python ignores SIGPIPE, and the program would inherit that."""
    done = run_exec("exec_program(['sh', '-c', 'kill -s PIPE $$; echo still there'], os.environ)", tmp_path)
    assert done.returncode == -signal.SIGPIPE
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no-such-program", "command not found: no-such-program (looked in .venv/bin and PATH)"),
        ("./plain", "cannot be started"),
    ],
)
def test_exec_names_the_program_that_cannot_be_started(tmp_path, name, said):
    (tmp_path / "plain").write_text("")
    code = f"""
        from isolate.errors import IsolateError
        try:
            exec_program([{name!r}], os.environ)
        except IsolateError as error:
            print(error)
    """
    out = run_exec(code, tmp_path).stdout
    assert name in out
    assert said in out
    assert "hint: " in out


@pytest.mark.parametrize("length", [0, 1, 4096, 4097, 1_000_000])
def test_a_program_reads_its_input_to_the_end(python, length):
    assert python("import sys; print(len(sys.stdin.read()))", stdin="x" * length).output == f"{length}\n"
