"""Files that a user named are read as boundedly as declarations, and a forged record names none."""

from __future__ import annotations

import json
import time

import pytest
from test_bounded_reads import KINDS, SECONDS, SECRET, put

from conftest import versions
from kit.records import record_table, resign

STATE = ".venv/.isolate/state.json"


@pytest.mark.parametrize("option", ["-r", "-c"])
@pytest.mark.parametrize("kind", [*KINDS, "directory"])
def test_what_is_not_a_file_is_refused(isolate, application, monkeypatch, kind, option):
    monkeypatch.setenv("SOME_TOKEN", SECRET)
    app = application({"requirements.txt": "", "named.txt": ""})
    isolate("sync", option, "named.txt", cwd=app)
    (app / "named.txt").unlink()
    put(kind, app / "named.txt")
    for command in (["sync"], ["check"], ["status"], ["sync", "--dry-run"]):
        started = time.monotonic()
        result = isolate(*command, cwd=app, status=2)
        assert time.monotonic() - started < SECONDS
        assert "named.txt" in result.err
        assert SECRET not in result.err


@pytest.mark.parametrize(
    "named",
    [
        {"requirements": ["/etc/shadow"]},
        {"constraints": ["/etc/shadow"]},
        {"requirements": ["../secret.txt"]},
        {"requirements": ["link.txt"]},
        {"requirements": ["requirements.txt", "/etc/shadow"]},
        {"requirements": ["."]},
        {"requirements": "x"},
        {"python": "/bin/sh"},
        {"python": ["x"]},
        {"unknown": 1},
        [],
    ],
)
def test_a_forged_record_names_nothing(isolate, application, tmp_path, named):
    (tmp_path / "secret.txt").write_text(f"{SECRET}!\n")
    app = application({"requirements.txt": ""})
    (app / "link.txt").symlink_to(tmp_path / "secret.txt")
    isolate("sync", cwd=app)
    record = app / STATE
    record.write_text(json.dumps({**record_table(record), "named": named}))
    for command in ("check", "status", "sync"):
        result = isolate(command, cwd=app, status=None)
        assert result.status in (0, 1)
        assert "shadow" not in result.out + result.err
        assert SECRET not in result.out + result.err


def test_a_forged_record_may_name_what_the_repository_could_declare(isolate, application, index):
    app = application({"requirements.txt": "", "more.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    record = app / STATE
    record.write_text(json.dumps({**record_table(record), "named": {"requirements": ["more.txt"]}}))
    assert "named for this .venv: -r more.txt" in isolate("sync", cwd=app).out
    assert versions(app / ".venv") == {"alpha": "1.0"}


@pytest.mark.parametrize(
    "named", [{"requirements": ["../secret.txt"]}, {"python": ["x"]}, {"unknown": 1}, {"project": 0}]
)
def test_a_record_with_a_valid_code_is_read_with_care(isolate, application, named):
    app = application({"requirements.txt": ""})
    isolate("sync", cwd=app)
    resign(app / STATE, lambda table: table.update(named=named))
    assert isolate("check", cwd=app, status=None).status in (0, 1, 2)  # 2: the file does not exist
