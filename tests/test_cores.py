"""Work that is shared out among threads: order, failures, and nobody left behind."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from isolate.cores import LOOKS_WORTH, WORTH, cores, looked_at, on_all_cores


@pytest.mark.parametrize("number", [0, 1, WORTH, 5 * WORTH])
def test_results_come_in_the_order_of_the_items(number):
    def slower_at_first(item):
        time.sleep(0.002 if item < WORTH else 0)
        return -item

    assert on_all_cores(slower_at_first, range(number)) == [-item for item in range(number)]


def test_little_is_done_in_this_thread():
    assert on_all_cores(lambda _: threading.current_thread(), [0]) == [threading.main_thread()]


@pytest.mark.skipif(cores() == 1, reason="a single core has a single thread")
def test_much_is_done_by_several_at_once():
    meeting = threading.Barrier(2, timeout=20)
    on_all_cores(lambda item: meeting.wait() if item < 2 else None, range(2 * WORTH))


def test_the_first_failure_is_raised_and_what_has_not_begun_is_left():
    done = []

    def work(item):
        if item == 1:
            raise KeyError(item)
        time.sleep(0.005)
        done.append(item)

    with pytest.raises(KeyError):
        on_all_cores(work, range(50 * WORTH))
    assert len(done) < 50 * WORTH - 1
    assert threading.active_count() == 1 or not [one for one in threading.enumerate() if "ThreadPool" in one.name]


SEVERAL = range(5 * LOOKS_WORTH + 1)


@pytest.mark.parametrize("number", [0, 1, LOOKS_WORTH, len(SEVERAL)])
def test_what_processes_saw_comes_in_the_order_of_the_items(number):
    assert looked_at(lambda item: None if item == 2 else -item, SEVERAL[:number]) == [
        None if item == 2 else -item for item in SEVERAL[:number]
    ]


@pytest.mark.skipif(cores() == 1, reason="a single core has a single process")
def test_much_is_looked_at_by_several_processes_and_little_by_this_one():
    seen = looked_at(lambda _: os.getpid(), SEVERAL)
    assert len(set(seen)) > 1
    assert seen[0] == os.getpid()
    assert looked_at(lambda _: os.getpid(), SEVERAL[:LOOKS_WORTH]) == [os.getpid()] * LOOKS_WORTH


@pytest.mark.parametrize("end", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(1), lambda: 1 / 0])
def test_what_a_helper_leaves_is_looked_at_here(end):
    here = os.getpid()
    assert looked_at(lambda item: item if os.getpid() == here else end(), SEVERAL) == [*SEVERAL]


def test_what_cannot_be_looked_at_is_raised():
    with pytest.raises(KeyError):
        looked_at({}.__getitem__, SEVERAL)
    with pytest.raises(ChildProcessError):
        os.wait()
