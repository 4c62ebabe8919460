"""The command line itself: imports on demand, few frames, one form for every error."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import isolate as package
from conftest import SOURCE
from isolate import fast_path
from isolate.cli.main import COMMANDS
from isolate.cli.main import isolate as command_line
from isolate.outcome import Outcome

PACKAGE = os.path.dirname(package.__file__)


@pytest.mark.parametrize("arguments", [["sync"], ["sync", "-q"], ["sync", "."], ["sync", "--json"]])
def test_four_frames_lead_from_the_entry_point_to_the_story_of_a_sync(application, monkeypatch, mocker, arguments):
    frames = []

    def sync(application, *, request, session):
        frame = sys._getframe(0)
        while frame is not None:
            if frame.f_code.co_filename.startswith(PACKAGE):
                frames.append(frame.f_code)
            frame = frame.f_back
        return Outcome(command="sync")

    monkeypatch.chdir(application({"requirements.txt": ""}))
    monkeypatch.setattr(sys, "argv", ["isolate", *arguments])
    mocker.patch("isolate.cli.errors._install_signal_handlers")
    mocker.patch("signal.signal")
    mocker.patch("isolate.commands.sync.sync", side_effect=sync)
    with pytest.raises(SystemExit):
        fast_path.main()
    names = [code.co_name for code in reversed(frames)]
    assert names[0] == "main"
    assert len(names) + 1 <= 4, names  # the story is this test's own function, in another directory


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_imports_no_other_command(name, tmp_path):
    code = (
        f"import sys\nfrom isolate.cli.main import isolate\nisolate.main([{name!r}, '--help'], standalone_mode=False)"
    )
    code += "\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    prefix = "isolate.cli.commands."
    loaded = {module for module in done.stderr.split() if module.startswith(prefix)}
    assert loaded == {prefix + COMMANDS[name].partition(":")[0]}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_called_as_the_table_says(name):
    command = command_line.get_command(command_line.make_context("isolate", [name], resilient_parsing=True), name)
    assert command.name == name


USAGE = [
    (["snyc"], "no such command 'snyc'. Did you mean 'sync'?", "isolate"),
    (["store", "siez"], "no such command 'siez'", "isolate store"),
    (["sync", "--upgrde"], "no such option", "isolate sync"),
    (["sync", "-j", "0"], "invalid value for '-j' / '--jobs': 0 is not in the range x>=1", "isolate sync"),
    (["run"], "missing argument '-- COMMAND...'", "isolate run"),
    (["rollback", "1", "2"], "got unexpected extra argument (2)", "isolate rollback"),
]


@pytest.mark.parametrize(("arguments", "message", "command"), USAGE, ids=str)
def test_wrong_usage_has_the_form_of_every_error(isolate, arguments, message, command):
    first, *_, last = isolate(*arguments, status=2).err.splitlines()
    assert first.startswith(f"error: {message}")
    assert last == f"hint: run `{command.replace('isolate', 'python -m isolate')} --help` for usage"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sync", "--locked", "--frozen"], "--locked and --frozen exclude each other"),
        (["sync", "--locked", "--upgrade"], "an upgrade changes the lock, which --locked and --frozen forbid"),
        (["lock", "--upgrade-package", "alpha==1"], "--upgrade-package alpha==1: not a package name"),
    ],
)
def test_options_that_exclude_each_other_are_wrong_usage(isolate, application, arguments, message):
    result = isolate(*arguments, cwd=application({"requirements.txt": ""}), status=2)
    assert result.err.startswith(f"error: {message}\nhint: ")


@pytest.mark.parametrize(
    "arguments", [["sync", "--json", "--upgrde"], ["sync", "-j", "0", "--json"], ["list", "--json", "x"]]
)
def test_an_error_is_a_document_if_json_was_asked_for(isolate, arguments):
    result = isolate(*arguments, status=2)
    document = json.loads(result.out)
    assert (document["command"], document["exit_code"]) == (arguments[0], 2)
    error = document["error"]
    assert result.err.startswith(f"error: {error['message']}\n")
    assert result.err.endswith(f"hint: {error['hint']}\n")


@pytest.mark.parametrize("arguments", [[], ["store"]])
def test_without_a_command_the_help_is_an_error(isolate, arguments):
    result = isolate(*arguments, status=2)
    assert result.out == ""
    assert result.err.startswith("Usage: ")


def test_the_options_of_a_program_are_not_options_of_isolate(isolate, application):
    app = application({"requirements.txt": ""})
    assert isolate("run", "--no-sync", "--", "x", "--json", cwd=app, status=2).out == ""
