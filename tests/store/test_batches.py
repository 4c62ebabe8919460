"""How distributions are divided into batches, and that several pips fill the store as one pip would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import SOURCE, inconsistencies, listing, versions
from isolate.locked import LockedDistribution
from isolate.parallel.map import cores
from isolate.store.batches import MIN_BATCH, MIN_FOR_SECOND_PIP, batch_sizes, batches, concurrent_pips
from kit.packages import build_sdist, build_wheel
from kit.waiting import wait_until

NUMBER = 2 * MIN_FOR_SECOND_PIP


def locked(number, *, built):
    return LockedDistribution(name=f"p{number}", version="1", source_id="x", table={"sdist" if built else "wheels": {}})


@given(st.lists(st.booleans(), max_size=70), st.integers(min_value=1, max_value=64))
def test_each_is_in_one_batch_and_all_that_are_built_are_in_one_without_wheels(built, cores):
    missing = {f"key{number}": locked(number, built=is_built) for number, is_built in enumerate(built)}
    parts = batches(missing, cores)
    assert sorted(key for part in parts for key in part) == sorted(missing)
    assert all(part[key] == missing[key] for part in parts for key in part)
    assert all(parts)
    assert sum(any("sdist" in dist.table for dist in part.values()) for part in parts) == any(built)
    wheels = [len(part) for part in parts[any(built) :]]
    assert wheels == (batch_sizes(built.count(False), cores) if False in built else [])


@given(st.integers(min_value=0, max_value=1000), st.integers(min_value=1, max_value=64))
def test_batches_get_smaller_and_none_is_too_small(number, cores):
    sizes = batch_sizes(number, cores)
    assert sum(sizes) == number
    assert sizes == sorted(sizes, reverse=True)
    assert all(size >= MIN_BATCH for size in sizes[:-1])
    assert len(sizes) == 1 or number >= 2 * MIN_FOR_SECOND_PIP
    assert len(sizes) >= min(concurrent_pips(cores), number // (2 * MIN_FOR_SECOND_PIP))


@given(st.lists(st.integers(min_value=0, max_value=9), max_size=40), st.integers(min_value=1, max_value=8))
def test_no_batch_has_two_versions_of_a_distribution_and_there_are_no_more_batches_than_needed(names, cores):
    missing = {
        f"key{number}": LockedDistribution(name=f"p{name}", version=str(number), source_id="x", table={"wheels": {}})
        for number, name in enumerate(names)
    }
    parts = batches(missing, cores)
    assert sorted(key for part in parts for key in part) == sorted(missing)
    assert all(len(part) == len({dist.name for dist in part.values()}) for part in parts)
    most_versions = max((names.count(name) for name in names), default=0)
    assert len(parts) <= max(most_versions, len(batch_sizes(len(missing), cores)))


@pytest.fixture
def many(index, application):
    for number in range(NUMBER):
        build_wheel(index.directory, f"part{number}", "1.0", scripts={f"part{number}": f"part{number}:main"})
    build_sdist(index.directory, "built", "1.0")
    return application({"requirements.txt": "built==1.0\n" + "".join(f"part{n}==1.0\n" for n in range(NUMBER))})


def test_several_pips_fill_the_store_as_one_would_and_download_nothing_twice(isolate, many, index):
    isolate("lock", cwd=many)
    downloads_before = len(index.fetched())
    isolate("sync", cwd=many)
    assert versions(many / ".venv") == {"built": "1.0", **{f"part{number}": "1.0" for number in range(NUMBER)}}
    assert inconsistencies(many / ".venv") == []
    wheels = [name for name in index.fetched()[downloads_before:] if name.startswith("part")]
    assert len(wheels) == len(set(wheels)) == NUMBER
    isolate("check", "--hash", cwd=many)
    isolate("store", "verify")


@pytest.mark.skipif(cores() == 1, reason="a single core has a single pip")
def test_if_one_of_them_fails_to_download_that_is_the_error_and_nothing_changes(isolate, many, index, monkeypatch):
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "2")
    isolate("lock", cwd=many)
    before = listing(many)
    index.misbehave("^/files/part7-", "wrong")
    message = isolate("sync", cwd=many, status=2).err
    assert "part7" in message
    assert listing(many) == before
    index.behave()
    isolate("sync", cwd=many)
    assert inconsistencies(many / ".venv") == []


@pytest.mark.skipif(cores() == 1, reason="a single core has a single pip")
def test_an_interrupt_ends_all_of_them_and_leaves_nothing_behind(isolate, many, index, cache):
    isolate("lock", cwd=many)
    index.misbehave("^/files/part", "hang")
    before, downloads_before = listing(many), len(index.fetched())
    child = subprocess.Popen(
        [sys.executable, "-m", "isolate", "sync"],
        cwd=many,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: len(index.fetched()) > downloads_before + 1)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=20)
    assert child.returncode == 130
    assert errors.splitlines()[-1] == "interrupted"
    assert listing(many) == before
    assert [*(cache / "store-v1/tmp").iterdir()] == []
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(many) not in running
