"""Pins that are closed, and that the store has, need neither a resolver nor an index."""

from __future__ import annotations

import pytest

from conftest import inconsistencies, versions
from kit.index import LocalIndex
from kit.packages import build_wheel


@pytest.fixture
def knowing(isolate, application, index):
    """A store that has beta 1.0, alpha 1.1, which it needs, and alpha 2.0, which it does not allow."""
    isolate("sync", application({"requirements.txt": "beta==1.0\nalpha==1.1\n"}, name="first"))
    isolate("sync", application({"requirements.txt": "alpha==2.0\n"}, name="second"))
    index.requests.clear()
    return index


def test_nobody_is_asked_what_is_known(isolate, application, knowing):
    app = application({"requirements.txt": "alpha==1.1\nbeta==1.0\n"})
    result = isolate("sync", "--offline", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "beta": "1.0"}
    assert inconsistencies(app / ".venv") == []
    assert knowing.requests == []
    assert "resolving" not in result.err
    assert not (app / "pylock.toml").exists()
    isolate("check", cwd=app)


def test_pins_that_leave_something_open_are_resolved(isolate, application, knowing):
    app = application({"requirements.txt": "beta==1.0\n"})
    assert "resolving" in isolate("sync", cwd=app).err
    assert versions(app / ".venv") == {"alpha": "1.1", "beta": "1.0"}


def test_pins_that_contradict_each_other_are_refused(isolate, application, knowing):
    app = application({"requirements.txt": "beta==1.0\nalpha==2.0\n"})
    result = isolate("sync", cwd=app, status=2)
    assert "beta 1.0" in result.err
    assert not (app / ".venv").exists()


def test_a_constraint_that_a_pin_does_not_meet_counts(isolate, application, knowing):
    files = {"requirements.txt": "-c limits.txt\nbeta==1.0\nalpha==1.1\n", "limits.txt": "alpha<1.1\n"}
    isolate("sync", cwd=application(files), status=2)


def test_a_hash_that_is_declared_counts(isolate, application, knowing):
    app = application({"requirements.txt": f"alpha==2.0 --hash=sha256:{'0' * 64}\n"})
    result = isolate("sync", cwd=app, status=2)
    assert "resolving" in result.err


def test_another_index_is_asked_itself(isolate, application, knowing, tmp_path, monkeypatch):
    build_wheel(tmp_path / "other", "alpha", "2.0", files={"alpha/__init__.py": "theirs = True\n"})
    app = application({"requirements.txt": "# by another index\nalpha==2.0\n"})
    with LocalIndex(tmp_path / "other").serving() as other:
        monkeypatch.setenv("PIP_INDEX_URL", other.url)
        isolate("sync", cwd=app)
        assert "/simple/alpha/" in other.requests
    assert isolate("run", "--", "python", "-c", "import alpha; print(alpha.theirs)", cwd=app).out == "True\n"


def test_what_the_store_has_no_more_is_asked_again(isolate, application, knowing, cache):
    for name in ("first", "second"):
        isolate("sync", application({"requirements.txt": "delta==1.0\n"}, name=name))
        for number in range(12):  # until the generations that still use it are forgotten
            (cache.parent / name / "requirements.txt").write_text("delta==1.0\n" if number % 2 else "gamma==1.0\n")
            isolate("sync", "-q", cwd=cache.parent / name)
    isolate("store", "gc")
    app = application({"requirements.txt": "# not the same file\nalpha==2.0\n"})
    assert "resolving" in isolate("sync", cwd=app).err
    assert versions(app / ".venv") == {"alpha": "2.0"}


PARTS = 9


@pytest.fixture
def parts(index):
    """Distributions of which the first needs another, and nine pins that are closed."""
    for number in range(PARTS):
        build_wheel(index.folder, f"part{number}", "1.0", requires=["part8<2"] if number == 0 else [])
    build_wheel(index.folder, "part8", "2.0")
    return [f"part{number}==1.0" for number in range(PARTS)]


def text(lines):
    return "".join(f"{line}\n" for line in lines)


def test_many_pins_that_are_closed_are_fetched_without_a_resolver(isolate, application, parts):
    app = application({"requirements.txt": text(parts)})
    assert "resolving" not in isolate("sync", cwd=app).err
    assert versions(app / ".venv") == {f"part{number}": "1.0" for number in range(PARTS)}
    assert inconsistencies(app / ".venv") == []
    assert not (app / "pylock.toml").exists()
    isolate("check", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out


def test_of_pins_for_different_pythons_the_one_that_counts_is_fetched(isolate, application, parts):
    pair = ['part8==2.0 ; python_version < "3"', 'part8==1.0 ; python_version >= "3"']
    app = application({"requirements.txt": text([*parts[:8], *pair])})
    assert "resolving" not in isolate("sync", cwd=app).err
    assert versions(app / ".venv") == {f"part{number}": "1.0" for number in range(PARTS)}


def test_one_that_moved_is_fetched_alone(isolate, application, parts, index):
    app = application({"requirements.txt": text(parts)})
    isolate("sync", cwd=app)
    build_wheel(index.folder, "part3", "1.1")
    index.requests.clear()
    application({"requirements.txt": text(parts).replace("part3==1.0", "part3==1.1")})
    assert "resolving" not in isolate("sync", cwd=app).err
    assert versions(app / ".venv")["part3"] == "1.1"
    assert {path.split("/")[2] for path in index.requests if path.startswith("/simple/")} == {"part3"}


def test_many_pins_that_leave_something_open_are_resolved_in_the_end(isolate, application, parts, index):
    build_wheel(index.folder, "more", "1.0", requires=["delta"])
    app = application({"requirements.txt": text([*parts, "more==1.0"])})
    assert "resolving" in isolate("sync", cwd=app).err
    assert versions(app / ".venv")["delta"] == "1.0"
    assert (app / "pylock.toml").exists()


def test_many_pins_that_contradict_each_other_are_refused_by_the_resolver(isolate, application, parts):
    app = application({"requirements.txt": text(parts).replace("part8==1.0", "part8==2.0")})
    assert "part0 1.0" in isolate("sync", cwd=app, status=2).err
    assert not (app / ".venv").exists()


def test_a_pin_that_is_not_to_be_had_is_told_by_the_resolver(isolate, application, parts):
    app = application({"requirements.txt": text([*parts, "absent==1.0"])})
    message = isolate("sync", cwd=app, status=2).err
    assert "absent" in message
    assert "resolving" in message


def test_the_hashes_of_many_pins_count(isolate, application, parts):
    wrong = [f"{line} --hash=sha256:{'0' * 64}" for line in parts]
    assert "hash" in isolate("sync", cwd=application({"requirements.txt": text(wrong)}), status=2).err


@pytest.mark.parametrize("command", [("lock",), ("sync", "--dry-run")])
def test_who_only_asks_fetches_nothing_into_the_store(isolate, application, parts, cache, command):
    isolate(*command, cwd=application({"requirements.txt": text(parts)}))
    assert not [*cache.glob("store-v1/entries/*/part*")]


def test_applications_that_share_many_pins_fetch_each_once(isolate, application, parts, index):
    both = [application({"requirements.txt": text(parts)}, name=name) for name in ("one", "two")]
    isolate("sync", "-j", "2", *both)
    for app in both:
        assert versions(app / ".venv") == {f"part{number}": "1.0" for number in range(PARTS)}
    fetched = [name for name in index.fetched() if name.startswith("part")]
    assert len(fetched) == len(set(fetched)) == PARTS
