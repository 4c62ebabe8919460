"""`-v` tells which decisions a command made and why; `-vv` adds the output of pip."""

from __future__ import annotations

import pytest


def test_the_first_sync_tells_its_decisions_in_order(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    lines = isolate("sync", "-v", cwd=app).err.splitlines()
    steps = [line.partition(":")[0] for line in lines]
    assert "stamp: there is no stamp" in lines
    assert any(line.startswith("python: ") and "(" in line for line in lines)
    assert any(line.startswith("resolve: by pip: ") for line in lines)
    assert any(line.startswith("pip: ") and "--report" in line for line in lines)
    assert "plan: install 2, remove 0, keep 0, fetch 1" in lines
    assert steps.index("stamp") < steps.index("python") < steps.index("resolve") < steps.index("plan")


def test_a_changed_input_is_named_and_so_is_why_the_lock_does_not_hold(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    (app / "requirements.txt").write_text("alpha==1.1\n")
    err = isolate("sync", "-v", cwd=app).err
    assert f"stamp: {app / 'requirements.txt'} has changed" in err
    assert "lock: considering " in err
    assert "lock: it does not hold: " in err
    assert "environment: updating it: " in err


def test_the_stamp_is_named_as_the_shortcut_that_answers(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    assert isolate("sync", "-v", cwd=app).err == "stamp: nothing has changed since the last sync\n"


def test_rejected_interpreters_are_named_with_the_reason(isolate, application, index):
    pyproject = '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=99"\n'
    err = isolate("sync", "-v", cwd=application({"pyproject.toml": pyproject}), status=2).err
    assert "python: rejected " in err
    assert "requires-python >=99" in err


@pytest.mark.parametrize(("option", "shown"), [("-v", False), ("-vv", True)])
def test_the_output_of_pip_takes_two(isolate, application, index, option, shown):
    app = application({"requirements.txt": "alpha==1.0\n"})
    assert ("Collecting alpha" in isolate("sync", option, cwd=app).err) is shown


def test_workers_prefix_their_trace_with_the_application(isolate, application, index, tmp_path):
    for name in ("first", "second"):
        application({"requirements.txt": "alpha==1.0\n"}, name=name)
    err = isolate("sync", "--all", "-v", cwd=tmp_path).err
    for name in ("first", "second"):
        assert err.count(f"{name}: plan: ") == 1


def test_quiet_and_json_have_no_trace(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    assert isolate("sync", "-v", "--json", cwd=app).err == ""
