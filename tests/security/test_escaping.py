"""Control characters and newlines from names, versions, records and paths are shown as escapes, wherever it is."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from isolate.conflicts.page import render_page
from isolate.conflicts.pins import Pin, find_conflicts
from isolate.crash_report import write_report
from isolate.outcome import Outcome, as_json
from isolate.output import printable
from isolate.progress.live import LiveProgress
from kit.records import resign

HOSTILE = {
    "an escape sequence": "\x1b[2J\x1b]0;title\x07",
    "a carriage return": "\rOK: 3 packages",
    "a line feed": "\nOK: 3 packages",
    "a C1 control": "\x9b31m",
    "DEL": "\x7f",
    "a bidi override": "\u202eabc\u2066",
    "a mark without width": "\u200b\u200d\ufeff",
    "a line separator": "\u2028\u2029\x85\x0b\x0c",
    "a tag": "\U000e0041",
    "a lone surrogate": "\udc9b",
}
BS = "\\"


def assert_harmless(text):
    assert [char for char in text if not char.isprintable() and char not in "\n\t"] == []


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_line_is_shown_with_escapes(kind):
    shown = printable(f"a{HOSTILE[kind]}b")
    assert shown.isprintable()
    assert BS in shown


def test_ordinary_text_is_unchanged():
    text = "größe\t日本 → `alpha==1.0` (é)"
    assert printable(text) == text


@pytest.mark.parametrize("kind", HOSTILE)
def test_json_has_escapes_and_keeps_the_value(kind):
    value = f"a{HOSTILE[kind]}b"
    text = as_json(Outcome(command="list", facts={"name": value, value: [value]}))
    assert_harmless(text)
    assert json.loads(text)["name"] == value


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_page_and_the_crash_report_have_escapes(kind, monkeypatch, tmp_path):
    text = HOSTILE[kind]
    pins = [Pin(application=f"a{text}", name=f"n{text}", version=f"1{text}", declared=text, through=(text,))]
    page = render_page(find_conflicts(pins, {f"a{text}": f"3{text}"}), title=text)
    assert_harmless(page)
    data, _ = json.JSONDecoder().raw_decode(page[page.index('{"title"') :])
    assert_harmless(json.dumps(data, ensure_ascii=False))
    assert data["title"].isprintable()
    assert data["packages"][0]["name"].isprintable()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with open(write_report(ValueError(text)), encoding="utf-8") as file:
        assert_harmless(file.read())


def test_the_live_display_has_escapes():
    written = io.StringIO()
    progress = LiveProgress()
    progress._status = Console(file=written, force_terminal=False).status("")
    progress.say("a\x1b[2Jb :boom: [red]x")
    assert written.getvalue() == "a\\x1b[2Jb :boom: [red]x\n"


NAME = "a\x1b[2J\u202e\nOK: 0 packages"
FILES = {
    "a requirement": {"requirements.txt": "alpha\x1b[2J==\u202e1\n"},
    "a path": {"requirements.txt": "./alpha\x1b[2J\u202e\n"},
    "a URL": {"requirements.txt": "alpha @ https://127.0.0.1:1/\x1b[2J\u202e.whl\n"},
    "a group": {"pyproject.toml": '[dependency-groups]\n"a\\u001b[2J\\n" = [{include-group = "b\\u009b\\n"}]\n'},
    "a setting": {"pyproject.toml": '[project]\nname = "x"\n[tool.isolate]\n"a\\u001b[2J\\nOK" = 1\n'},
    "a Python": {"requirements.txt": "", ".python-version": "3.\x9b31m\u202e\n"},
    "an invalid lock": {"pylock.toml": 'lock-version = "1.0"\n"created-\\u001b[2J\\n" = 1\n'},
    "a version in a lock": {
        "pylock.toml": 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "alpha"\nversion = "1\\u001b\\n"\n'
    },
}


@pytest.mark.parametrize("case", FILES)
def test_no_command_prints_control_characters_of_a_file(isolate, application, case):
    app = application(FILES[case])
    for command in ("check", "conflicts"):
        result = isolate(command, cwd=app, status=None)
        assert result.status in (0, 1, 2)
        assert_harmless(result.out + result.err)
        assert "\nOK" not in result.out + result.err


def test_no_command_prints_control_characters_of_a_directory(isolate, application, tmp_path):
    application({"requirements.txt": "alpha==1\n"}, name=f"all/{NAME}")
    application({"requirements.txt": "beta=1\n"}, name=f"all/b{NAME}")
    for command in (("list",), ("status", "--all"), ("conflicts",), ("check", "--all"), ("list", "-v")):
        result = isolate(*command, cwd=tmp_path / "all", status=None)
        assert_harmless(result.out + result.err)
        assert "\nOK: 0 packages" not in result.out + result.err


def test_a_record_is_shown_with_escapes(isolate, application):
    app = application({"requirements.txt": ""})
    isolate("sync", cwd=app)
    record = app / ".venv/.isolate/history/1.json"
    resign(record, lambda table: table.update(command="sync\x1b[2J\nOK", changes=["+ alpha \u202e1\r\n"]))
    result = isolate("history", cwd=app)
    assert_harmless(result.out)
    assert "sync\\x1b[2J\\nOK" in result.out


def test_the_output_of_a_program_stays_as_it_is(isolate, application):
    app = application({"requirements.txt": ""})
    script = "print('\\x1b[31mred https://me:hunter2@host/')"
    for option in ("-q", "--all"):
        out = isolate("run", option, "--", "python", "-c", script, cwd=app).out
        assert "\x1b[31mred https://me:hunter2@host/" in out
