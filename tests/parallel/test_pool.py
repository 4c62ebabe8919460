"""The worker pool: progress reports, failures, and how workers end."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import time

import pytest

from isolate.environment.link import DamagedEntry
from isolate.errors import DeclarationError, InvalidDistribution, IsolateError, PipFailed
from isolate.parallel.fork import fork_worker
from isolate.parallel.map import WorkerLost
from isolate.parallel.pool import WorkerPool


class RecordingProgress:
    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(("say", line))

    def working(self, text, position=""):
        self.lines.append(("working", f"{text}{position}"))

    def detail(self, line):
        self.lines.append(("detail", line))


class ForwardingObserver:
    """Forwards the reports of all workers to one progress."""

    def __init__(self, progress):
        self.progress = progress

    def on_message(self, name, method, arguments):
        del name
        getattr(self.progress, method)(*arguments)

    def on_start(self, name):
        pass

    on_finish = on_start

    def tick(self):
        pass


def run_all(tasks, progress):
    named = {str(number): task for number, task in enumerate(tasks)}
    for _, result in WorkerPool(named, len(tasks), ForwardingObserver(progress)).as_completed():
        if isinstance(result, Exception):
            raise result


def raising(error):
    def task(progress):
        raise error

    return task


def sleeping(progress):
    time.sleep(60)


def test_tasks_run_at_once_in_other_processes_and_report_progress():
    recorded = RecordingProgress()
    reader, writer = os.pipe()

    def first(progress):
        os.read(reader, 1)
        progress.say(f"first {os.getpid()}")

    def second(progress):
        progress.working(f"second {os.getpid()}")
        os.write(writer, b"x")

    run_all([first, second], recorded)
    (_, said), (method, worked) = sorted(recorded.lines)
    assert method == "working"
    assert len({said.split()[1], worked.split()[1], str(os.getpid())}) == 3


def test_a_pool_without_tasks_ends_at_once():
    run_all([], RecordingProgress())


@pytest.mark.parametrize(
    "error",
    [
        PipFailed("no", facts=("a", "b"), hint="try", output="all"),
        InvalidDistribution("bad"),
        DamagedEntry("changed", key="cp311/x-1"),
        OSError(errno.ENOSPC, "No space left on device", "/there"),
    ],
)
def test_an_exception_of_a_task_arrives_here_and_the_caller_can_end_the_others(error):
    started = time.monotonic()
    with pytest.raises(type(error)) as raised:
        run_all([sleeping, raising(error)], RecordingProgress())
    assert str(raised.value) == str(error)
    assert vars(raised.value) == vars(error)
    assert time.monotonic() - started < 30


def test_an_unexpected_exception_keeps_its_traceback():
    with pytest.raises(KeyError) as raised:
        run_all([raising(KeyError("x")), raising(KeyError("x"))], RecordingProgress())
    assert "in task" in str(raised.value.__cause__)


def test_a_killed_worker_is_reported():
    with pytest.raises(WorkerLost, match="killed by signal 9"):
        run_all([lambda progress: os.kill(os.getpid(), signal.SIGKILL), sleeping], RecordingProgress())


@pytest.mark.parametrize("error", [IsolateError("a", facts=("b",), hint="c"), DeclarationError("a", file="f", line=3)])
def test_errors_survive_pickling(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)


def test_a_task_waits_when_no_process_can_be_started(mocker):
    forked = mocker.patch("isolate.parallel.pool.fork_worker", side_effect=refusing_second())
    run_all([lambda _: None] * 3, RecordingProgress())
    assert forked.call_count > 3


def refusing_second():
    calls = []

    def fork_except_the_second(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise BlockingIOError(errno.EAGAIN, "no more processes")
        fork_worker(*arguments)

    return fork_except_the_second


def test_it_is_an_error_if_no_process_can_be_started_at_all(mocker):
    mocker.patch("isolate.parallel.pool.fork_worker", side_effect=BlockingIOError(errno.EAGAIN, "no more processes"))
    with pytest.raises(BlockingIOError):
        run_all([lambda _: None], RecordingProgress())
