"""Locks of names: exclusive, in any number, and gone with the process that held them."""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import random
import resource
import time

import pytest

from isolate.locks import NameLocks
from kit.waiting import wait_until

NAMES = [f"name{number}" for number in range(6)]
fork = multiprocessing.get_context("fork")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "locks"


@pytest.fixture(params=["of the open file", "of the process"])
def kind(request, monkeypatch):
    """Run a test with both kinds of locks of the system."""
    if request.param == "of the process":
        monkeypatch.delattr(fcntl, "F_OFD_SETLK", raising=False)
    return request.param


def holding(path, names):
    """Return a process that has locked *names* and never unlocks them."""
    ready, started = fork.Pipe(duplex=False)

    def hold():
        locks = NameLocks(path)
        locks.acquire(names)
        started.send("ready")
        time.sleep(1000)

    process = fork.Process(target=hold, daemon=True)
    process.start()
    assert ready.recv()
    return process


def test_a_name_is_held_by_one_process_and_released_when_that_is_killed(path, kind):
    del kind
    holder = holding(path, ["a", "b"])
    locks = NameLocks(path)
    assert [locks.try_acquire(name) for name in "abc"] == [False, False, True]
    holder.kill()
    holder.join()
    assert [locks.try_acquire(name) for name in "abc"] == [True, True, True]
    locks.close()


def test_waiting_is_reported_once_and_ends_with_the_holder(path, kind):
    del kind
    holder, waits = holding(path, NAMES), []
    locks = NameLocks(path)

    def on_wait():
        waits.append(1)
        holder.kill()

    locks.acquire(NAMES, on_wait)
    assert waits == [1]
    locks.close()


def test_a_released_name_is_free_and_the_others_stay(path, kind):
    del kind

    def free(names):
        def ask():
            locks = NameLocks(path)
            os._exit(sum(locks.try_acquire(name) for name in names))

        process = fork.Process(target=ask)
        process.start()
        process.join()
        return process.exitcode

    locks = NameLocks(path)
    locks.acquire(NAMES)
    assert free(NAMES) == 0
    locks.release([NAMES[0], "never locked"])
    assert free(NAMES) == 1
    locks.close()
    assert free(NAMES) == 6


def test_processes_that_lock_the_same_names_in_any_order_never_wait_for_each_other(path, kind, tmp_path):
    del kind
    counter = tmp_path / "counter"
    counter.write_text("0")

    def work(seed):
        order = random.Random(seed)
        for _ in range(100):
            locks = NameLocks(path)
            locks.acquire(["counter", *order.sample(NAMES, 3)])
            number = int(counter.read_text())
            counter.write_text(str(number + 1))
            locks.close()

    processes = [fork.Process(target=work, args=(seed,)) for seed in range(4)]
    for process in processes:
        process.start()
    wait_until(lambda: not any(process.is_alive() for process in processes))
    assert [process.exitcode for process in processes] == [0] * 4
    assert counter.read_text() == "400"


def test_any_number_of_names_takes_one_file(path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        locks = NameLocks(path)
        locks.acquire(f"name{number}" for number in range(2000))
        locks.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert path.stat().st_size == 0


def test_a_process_that_is_forked_meanwhile_does_not_keep_the_names(path):
    locks = NameLocks(path)
    locks.acquire(NAMES)
    child = fork.Process(target=time.sleep, args=(1000,), daemon=True)
    child.start()
    locks.close()
    other = NameLocks(path)
    assert all(map(other.try_acquire, NAMES))
    other.close()
    child.kill()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EINVAL])
def test_without_such_locks_everything_goes_on(path, mocker, number):
    mocker.patch("fcntl.fcntl", side_effect=OSError(number, "no locks"))
    mocker.patch("fcntl.lockf", side_effect=OSError(number, "no locks"))
    locks = NameLocks(path)
    locks.acquire(NAMES)
    assert locks.try_acquire("other")
    locks.close()
