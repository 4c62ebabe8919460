"""The parallel map: order, failures, and no process left behind."""

from __future__ import annotations

import errno
import os
import signal
import time

import pytest

from isolate.errors import IsolateError
from isolate.parallel.map import (
    MAX_CHUNKS,
    MIN_ITEMS_PER_WORKER,
    MIN_READS_PER_WORKER,
    WorkerLost,
    cores,
    parallel_map,
    parallel_map_readonly,
)

several_cores = pytest.mark.skipif(cores() == 1, reason="a single core has a single process")


@pytest.fixture(autouse=True)
def no_process_is_left_behind():
    yield
    with pytest.raises(ChildProcessError):
        os.wait()


@pytest.mark.parametrize("number", [0, 1, MIN_ITEMS_PER_WORKER, 5 * MIN_ITEMS_PER_WORKER, 3 * MAX_CHUNKS + 1])
def test_results_come_in_the_order_of_the_items(number):
    def slower_at_first(item):
        time.sleep(0.002 if item < MIN_ITEMS_PER_WORKER else 0)
        return -item

    assert parallel_map(slower_at_first, range(number)) == [-item for item in range(number)]


def test_few_items_are_processed_in_this_process():
    assert set(parallel_map(lambda _: os.getpid(), range(MIN_ITEMS_PER_WORKER))) == {os.getpid()}


@several_cores
def test_many_items_are_processed_by_several_processes():
    def slowly(_):
        time.sleep(0.01)
        return os.getpid()

    assert len(set(parallel_map(slowly, range(2 * MIN_ITEMS_PER_WORKER)))) > 1


@pytest.mark.parametrize("error", [KeyError("no"), IsolateError("no", hint="yes"), OSError(28, "full")])
def test_a_failure_is_raised_and_no_more_items_are_started(error, tmp_path):
    def work(item):
        if item == 1:
            raise error
        time.sleep(0.005)
        (tmp_path / str(item)).touch()

    with pytest.raises(type(error)) as raised:
        parallel_map(work, range(50 * MIN_ITEMS_PER_WORKER))
    assert str(raised.value) == str(error)
    assert len([*tmp_path.iterdir()]) < MIN_ITEMS_PER_WORKER


@several_cores
@pytest.mark.parametrize("end", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(1)])
def test_a_killed_worker_is_an_error(end):
    here = os.getpid()

    def work(_):
        time.sleep(0.01)
        return os.getpid() == here or end()

    with pytest.raises(WorkerLost):
        parallel_map(work, range(2 * MIN_ITEMS_PER_WORKER))


def test_at_a_limit_of_processes_fewer_share_the_work(mocker):
    def forked(fork):
        yield fork()
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def slowly(_):
        time.sleep(0.01)
        return os.getpid()

    mocker.patch("isolate.parallel.map.cores", return_value=3)
    mocker.patch("os.fork", side_effect=forked(os.fork))
    opened = os.listdir("/dev/fd")
    assert len(set(parallel_map(slowly, range(3 * MIN_ITEMS_PER_WORKER)))) == 2
    assert os.listdir("/dev/fd") == opened


def test_an_interrupt_ends_all():
    def work(item):
        if item == 1:
            os.kill(parent, signal.SIGINT)
        time.sleep(0.005)

    parent = os.getpid()
    with pytest.raises(KeyboardInterrupt):
        parallel_map(work, range(50 * MIN_ITEMS_PER_WORKER))


ITEMS = range(5 * MIN_READS_PER_WORKER + 1)


@pytest.mark.parametrize("number", [0, 1, MIN_READS_PER_WORKER, len(ITEMS)])
def test_read_only_results_come_in_the_order_of_the_items(number):
    assert parallel_map_readonly(lambda item: None if item == 2 else -item, ITEMS[:number]) == [
        None if item == 2 else -item for item in ITEMS[:number]
    ]


@several_cores
def test_many_items_are_read_by_several_processes_and_few_by_this_one():
    def slowly(_):
        time.sleep(0.01)
        return os.getpid()

    assert len(set(parallel_map_readonly(slowly, ITEMS))) > 1
    assert (
        parallel_map_readonly(lambda _: os.getpid(), ITEMS[:MIN_READS_PER_WORKER])
        == [os.getpid()] * MIN_READS_PER_WORKER
    )


@pytest.mark.parametrize("end", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(1), lambda: 1 / 0])
def test_items_without_a_result_are_read_again_in_this_process(end):
    here = os.getpid()

    def read(item):
        time.sleep(0.002)
        return item if os.getpid() == here else end()

    assert parallel_map_readonly(read, ITEMS) == [*ITEMS]


def test_an_exception_while_reading_is_raised():
    with pytest.raises(KeyError):
        parallel_map_readonly({}.__getitem__, ITEMS)
