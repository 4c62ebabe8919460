"""With --json there is a document on standard output, whatever the command comes to."""

from __future__ import annotations

import json
import sys
import tempfile

import pytest

from isolate import fastpath


@pytest.mark.parametrize("command", ["sync", "lock", "check", "status", "rollback"])
def test_a_failure_is_a_document_on_standard_output_and_words_on_standard_error(isolate, application, command):
    app = application({"requirements.txt": "alpha==1.0 ==\n"})
    told, plain = isolate(command, "--json", cwd=app, status=2), isolate(command, cwd=app, status=2)
    error = plain.err.rstrip("\n")
    assert json.loads(told.out) == {"isolate": 1, "command": command, "exit_code": 2, "error": error}
    assert (told.err, plain.out) == (plain.err, "")


def test_a_failure_to_find_any_application_is_a_document_too(isolate, application):
    for command in (["sync", "--all"], ["status", "--all"], ["list", "--all"], ["conflicts"]):
        result = isolate(*command, "--json", cwd=application({}), status=2)
        document = json.loads(result.out)
        assert (document["command"], document["exit_code"]) == (command[0], 2)
        assert "no application in" in document["error"]
        assert document["error"] in result.err


@pytest.mark.parametrize(("command", "work"), [("check", "check.check"), ("store gc", "store.gc")])
def test_a_bug_is_a_document_too_and_described_once(
    application, monkeypatch, mocker, capsys, tmp_path, cache, command, work
):
    monkeypatch.chdir(application({"requirements.txt": ""}))
    monkeypatch.setattr(sys, "argv", ["isolate", *command.split(), "--json"])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mocker.patch("isolate.cli.ending._end_in_order")
    mocker.patch(f"isolate.commands.{work}", side_effect=ValueError("what"))
    with pytest.raises(SystemExit) as ended:
        fastpath.main()
    assert ended.value.code == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["command"], document["exit_code"]) == (command, 3)
    assert "ValueError: what" in document["error"]
    assert len(list(tmp_path.glob("isolate-bug-*.log"))) == 1


def test_words_that_are_no_command_line_are_no_document(isolate, application):
    assert isolate("sync", "--json", "--frobnicate", cwd=application({}), status=2).out == ""
