from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import SOURCE, versions
from kit.records import resign

pytestmark = pytest.mark.store("warm")


def test_run_syncs_and_then_runs_the_command(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    result = isolate("run", "--", "alpha", cwd=app)
    assert result.out == "alpha 1.0\n"
    assert "+ alpha 1.0" in result.err
    assert isolate("run", "--", "alpha", cwd=app).err == ""


def test_the_exit_code_is_the_commands_own(isolate, application, index):
    app = application({"requirements.txt": ""})
    isolate("run", "--", "python", "-c", "raise SystemExit(7)", cwd=app, status=7)


def test_a_signal_reaches_the_command_itself(isolate, application, index):
    app = application({"requirements.txt": ""})
    isolate("sync", cwd=app)
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [
        sys.executable,
        "-m",
        "isolate",
        "run",
        "--",
        "python",
        "-c",
        "print(1, flush=True); import time; time.sleep(60)",
    ]
    with subprocess.Popen(command, cwd=app, env=environ, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"1\n"
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == -signal.SIGTERM


def test_the_environment_comes_first_on_path(isolate, application, index):
    app = application({"requirements.txt": ""})
    code = "import os, sys; print(sys.prefix, os.environ['VIRTUAL_ENV'], 'PYTHONHOME' in os.environ)"
    environ = {"PYTHONHOME": sys.base_prefix}
    out = isolate("run", "--", "python", "-c", code, cwd=app, env=environ).out.split()
    assert out == [str(app / ".venv"), str(app / ".venv"), "False"]


def test_no_sync_uses_the_environment_unchanged(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    assert "run `isolate sync`" in isolate("run", "--no-sync", "--", "alpha", cwd=app, status=2).err
    isolate("sync", cwd=app)
    application({"requirements.txt": "alpha==2.0\n"})
    assert isolate("run", "--no-sync", "--", "alpha", cwd=app).out == "alpha 1.0\n"


def test_a_missing_command_is_named(isolate, application, index):
    app = application({"requirements.txt": ""})
    assert "no-such-thing" in isolate("run", "--", "no-such-thing", cwd=app, status=2).err


@pytest.mark.parametrize("option", ["--json", "--offline", "--extra=x", "-x"])
def test_an_unknown_option_of_run_is_not_passed_to_the_command(isolate, application, index, option):
    app = application({"requirements.txt": ""})
    for more in ([], ["--all"]):
        assert "no such option" in isolate("run", *more, option, "--", "true", cwd=app, status=2).err
    assert not (app / ".venv").exists()
    code = "import sys; print(sys.argv[1:])"
    for dashes in ([], ["--"]):
        assert isolate("run", *dashes, "python", "-c", code, option, "-q", "--", "--all", cwd=app).out == (
            f"{[option, '-q', '--', '--all']}\n"
        )


def test_run_keeps_the_groups_of_the_last_sync(isolate, application, index):
    text = '[project]\nname = "app"\nversion = "1"\n[dependency-groups]\ndocs = ["delta"]\n'
    app = application({"pyproject.toml": text})
    isolate("sync", "--group", "docs", cwd=app)
    time.sleep(0.05)
    isolate("run", "--", "python", "-c", "import delta", cwd=app)


PROJECT = """
[project]
name = "app"
version = "1"
dependencies = ["alpha==1.0"]
[project.optional-dependencies]
fast = ["gamma==1.0"]
[dependency-groups]
dev = ["delta==1.0"]
docs = ["beta==1.0"]
"""


def test_run_keeps_no_dev_of_the_last_sync(isolate, application, index):
    app = application({"pyproject.toml": PROJECT})
    isolate("sync", "--no-dev", cwd=app)
    isolate("run", "--", "true", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}
    isolate("sync", cwd=app)
    isolate("run", "--", "true", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0", "delta": "1.0"}


def test_run_keeps_options_of_a_sync_that_changed_nothing(isolate, application, index):
    app = application({"pyproject.toml": PROJECT.replace('["delta==1.0"]', '["alpha==1.0"]')})
    isolate("sync", cwd=app)
    assert "nothing to do" in isolate("sync", "--no-dev", cwd=app).out
    application({"pyproject.toml": PROJECT})
    isolate("run", "--", "true", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}
    isolate("run", "--no-sync", "--", "python", "-m", "pip", "install", "-q", "gamma==1.0", cwd=app)
    assert "nothing to do" in isolate("sync", "--no-dev", "--inexact", cwd=app).out
    isolate("run", "--", "true", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0", "gamma": "1.0"}
    assert isolate("check", cwd=app).out.startswith("OK")
    assert not (app / ".venv/.isolate/work").exists()


def test_run_ignores_extras_and_groups_that_are_no_longer_declared(isolate, application, index):
    app = application({"pyproject.toml": PROJECT})
    isolate("sync", "--no-dev", "--extra", "fast", "--group", "docs", cwd=app)
    application({"pyproject.toml": PROJECT.replace("fast =", "quick =").replace("docs =", "papers =")})
    isolate("run", "--", "true", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_records_without_no_dev_are_read(isolate, application, index):
    app = application({"pyproject.toml": PROJECT})
    isolate("sync", "--no-dev", "--group", "docs", cwd=app)
    isolate("sync", cwd=app)
    for record in (app / ".venv/.isolate/state.json", *app.glob(".venv/.isolate/history/*.json")):
        resign(record, lambda table: table["selection"].pop("no_dev"))
    isolate("rollback", cwd=app)
    assert set(versions(app / ".venv")) == {"alpha", "beta"}


def test_run_keeps_no_dev_after_a_rollback(isolate, application, index):
    app = application({"pyproject.toml": PROJECT})
    isolate("sync", "--no-dev", cwd=app)
    isolate("sync", cwd=app)
    isolate("rollback", cwd=app)
    isolate("run", "--", "true", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}


@pytest.mark.store("cold")
def test_verbose_twice_shows_the_output_of_pip(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    result = isolate("run", "-vv", "--", "alpha", "-v", cwd=app)
    assert result.out == "alpha 1.0\n"
    assert "Installing collected packages: alpha" in result.err
    result = isolate("run", "--all", "-vv", "--", "alpha", cwd=application({"requirements.txt": "alpha==2.0\n"}))
    assert "Installing collected packages: alpha" in result.err
    assert "Installing" not in isolate("run", "--", "alpha", cwd=application({"requirements.txt": "alpha==1.1\n"})).err
