"""Several things are done at once by processes of their own: what they tell, how they fail, how they are ended."""

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


class Heard:
    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(("say", line))

    def working(self, text):
        self.lines.append(("working", text))

    def detail(self, line):
        self.lines.append(("detail", line))


class PoolObserver:
    """Lets one progress hear what all workers tell."""

    def __init__(self, progress):
        self.progress = progress

    def hears(self, name, kind, text):
        del name
        getattr(self.progress, kind)(text)

    def begins(self, name):
        pass

    ends = begins

    def moves(self):
        pass


def together(tasks, progress):
    named = {str(number): task for number, task in enumerate(tasks)}
    for _, result in WorkerPool(tasks=named, at_once=len(tasks), board=PoolObserver(progress)).work():
        if isinstance(result, Exception):
            raise result


def raising(error):
    def task(progress):
        raise error

    return task


def sleeping(progress):
    time.sleep(60)


def test_all_of_them_work_at_once_in_other_processes_and_are_heard():
    heard = Heard()
    here, there = os.pipe()

    def first(progress):
        os.read(here, 1)
        progress.say(f"first {os.getpid()}")

    def second(progress):
        progress.working(f"second {os.getpid()}")
        os.write(there, b"x")

    together([first, second], heard)
    (_, one), (kind, two) = sorted(heard.lines)
    assert kind == "working"
    assert len({one.split()[1], two.split()[1], str(os.getpid())}) == 3


def test_nothing_to_do_is_no_work():
    together([], Heard())


@pytest.mark.parametrize(
    "error",
    [
        PipFailed("no", facts=("a", "b"), hint="try", output="all"),
        InvalidDistribution("bad"),
        DamagedEntry("changed", key="cp311/x-1"),
        OSError(errno.ENOSPC, "No space left on device", "/there"),
    ],
)
def test_what_one_raises_is_raised_here_and_ends_the_others(error):
    started = time.monotonic()
    with pytest.raises(type(error)) as raised:
        together([sleeping, raising(error)], Heard())
    assert str(raised.value) == str(error)
    assert vars(raised.value) == vars(error)
    assert time.monotonic() - started < 30


def test_a_bug_keeps_its_traceback():
    with pytest.raises(KeyError) as raised:
        together([raising(KeyError("x")), raising(KeyError("x"))], Heard())
    assert "in task" in str(raised.value.__cause__)


def test_one_that_was_killed_is_told():
    with pytest.raises(WorkerLost, match="status -9"):
        together([lambda progress: os.kill(os.getpid(), signal.SIGKILL), sleeping], Heard())


@pytest.mark.parametrize("error", [IsolateError("a", facts=("b",), hint="c"), DeclarationError("a", file="f", line=3)])
def test_errors_pass_from_process_to_process_whole(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)


def test_a_task_waits_where_no_other_process_may_be_had(mocker):
    begun = mocker.patch("isolate.parallel.pool.begin", side_effect=refusing_second())
    together([lambda _: None] * 3, Heard())
    assert begun.call_count > 3


def refusing_second():
    calls = []

    def begin_but_once(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise BlockingIOError(errno.EAGAIN, "no more processes")
        fork_worker(*arguments)

    return begin_but_once


def test_no_process_at_all_is_an_error(mocker):
    mocker.patch("isolate.parallel.pool.begin", side_effect=BlockingIOError(errno.EAGAIN, "no more processes"))
    with pytest.raises(BlockingIOError):
        together([lambda _: None], Heard())
