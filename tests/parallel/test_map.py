"""Work that is shared out among processes: order, failures, and nobody left behind."""

from __future__ import annotations

import errno
import os
import signal
import time

import pytest

from isolate.errors import IsolateError
from isolate.parallel.map import (
    MAX_CHUNKS,
    MIN_READS_PER_WORKER,
    WORTH,
    WorkerLost,
    cores,
    parallel_map,
    parallel_map_readonly,
)

several_cores = pytest.mark.skipif(cores() == 1, reason="a single core has a single process")


@pytest.fixture(autouse=True)
def nobody_is_left_behind():
    yield
    with pytest.raises(ChildProcessError):
        os.wait()


@pytest.mark.parametrize("number", [0, 1, WORTH, 5 * WORTH, 3 * MAX_CHUNKS + 1])
def test_results_come_in_the_order_of_the_items(number):
    def slower_at_first(item):
        time.sleep(0.002 if item < WORTH else 0)
        return -item

    assert parallel_map(slower_at_first, range(number)) == [-item for item in range(number)]


def test_little_is_done_in_this_process():
    assert set(parallel_map(lambda _: os.getpid(), range(WORTH))) == {os.getpid()}


@several_cores
def test_much_is_done_by_several_at_once():
    def slowly(_):
        time.sleep(0.01)
        return os.getpid()

    assert len(set(parallel_map(slowly, range(2 * WORTH)))) > 1


@pytest.mark.parametrize("error", [KeyError("no"), IsolateError("no", hint="yes"), OSError(28, "full")])
def test_a_failure_is_raised_and_what_has_not_begun_is_left(error, tmp_path):
    def work(item):
        if item == 1:
            raise error
        time.sleep(0.005)
        (tmp_path / str(item)).touch()

    with pytest.raises(type(error)) as raised:
        parallel_map(work, range(50 * WORTH))
    assert str(raised.value) == str(error)
    assert len([*tmp_path.iterdir()]) < WORTH


@several_cores
@pytest.mark.parametrize("end", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(1)])
def test_a_worker_that_was_killed_is_no_success(end):
    here = os.getpid()

    def work(_):
        time.sleep(0.01)
        return os.getpid() == here or end()

    with pytest.raises(WorkerLost):
        parallel_map(work, range(2 * WORTH))


def test_where_no_more_processes_may_be_had_fewer_do_the_work(mocker):
    def forked(fork):
        yield fork()
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def slowly(_):
        time.sleep(0.01)
        return os.getpid()

    mocker.patch("isolate.parallel.map.cores", return_value=3)
    mocker.patch("os.fork", side_effect=forked(os.fork))
    opened = os.listdir("/dev/fd")
    assert len(set(parallel_map(slowly, range(3 * WORTH)))) == 2
    assert os.listdir("/dev/fd") == opened


def test_an_interrupt_ends_all():
    def work(item):
        if item == 1:
            os.kill(parent, signal.SIGINT)
        time.sleep(0.005)

    parent = os.getpid()
    with pytest.raises(KeyboardInterrupt):
        parallel_map(work, range(50 * WORTH))


SEVERAL = range(5 * MIN_READS_PER_WORKER + 1)


@pytest.mark.parametrize("number", [0, 1, MIN_READS_PER_WORKER, len(SEVERAL)])
def test_what_processes_saw_comes_in_the_order_of_the_items(number):
    assert parallel_map_readonly(lambda item: None if item == 2 else -item, SEVERAL[:number]) == [
        None if item == 2 else -item for item in SEVERAL[:number]
    ]


@several_cores
def test_much_is_looked_at_by_several_processes_and_little_by_this_one():
    def slowly(_):
        time.sleep(0.01)
        return os.getpid()

    assert len(set(parallel_map_readonly(slowly, SEVERAL))) > 1
    assert (
        parallel_map_readonly(lambda _: os.getpid(), SEVERAL[:MIN_READS_PER_WORKER])
        == [os.getpid()] * MIN_READS_PER_WORKER
    )


@pytest.mark.parametrize("end", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(1), lambda: 1 / 0])
def test_what_a_helper_leaves_is_looked_at_here(end):
    here = os.getpid()

    def look(item):
        time.sleep(0.002)
        return item if os.getpid() == here else end()

    assert parallel_map_readonly(look, SEVERAL) == [*SEVERAL]


def test_what_cannot_be_looked_at_is_raised():
    with pytest.raises(KeyError):
        parallel_map_readonly({}.__getitem__, SEVERAL)
