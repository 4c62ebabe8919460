"""What pip installed becomes entries, or is refused if it does not match its RECORD."""

from __future__ import annotations

import subprocess

import pytest

from conftest import inconsistencies, versions
from isolate.store.ingest import read_prefix
from kit.packages import build_wheel

BROKEN_RECORDS = {
    "site-packages/alpha/__init__.py does not match its RECORD": lambda rows: [
        rows[0].replace("sha256=", "sha256=A"),
        *rows[1:],
    ],
    "site-packages/alpha/ghost.py, which RECORD lists": lambda rows: ["alpha/ghost.py,sha256=abc,3", *rows],
}


@pytest.mark.parametrize("problem", BROKEN_RECORDS)
def test_a_wheel_with_a_broken_record_is_refused(isolate, application, index, problem):
    build_wheel(index.directory, "alpha", "5.0", record=BROKEN_RECORDS[problem])
    app = application({"requirements.txt": "alpha==5.0\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert "alpha 5.0: " in message
    assert problem in message
    assert not (app / ".venv").exists()


def test_data_files_and_scripts_are_where_pip_puts_them(isolate, application, index):
    data = {"scripts/tool": "#!python\nprint('tool')\n", "data/share/x.txt": "x", "headers/h.h": "h"}
    build_wheel(index.directory, "full", "1.0", data=data)
    app = application({"requirements.txt": "full==1.0\n"})
    isolate("sync", cwd=app)
    assert (app / ".venv/share/x.txt").read_text() == "x"
    assert subprocess.run([app / ".venv/bin/tool"], capture_output=True, text=True, check=True).stdout == "tool\n"
    assert inconsistencies(app / ".venv") == []


def test_a_name_is_normalized(isolate, application, index):
    build_wheel(index.directory, "Zope.Thing", "1.0")
    app = application({"requirements.txt": "zope-thing==1.0\n"})
    isolate("sync", cwd=app)
    assert isolate("check", cwd=app).out.startswith("OK: 1 package")
    assert "nothing to do" in isolate("sync", cwd=app).out
    assert list(versions(app / ".venv").values()) == ["1.0"]


def test_an_empty_prefix_holds_no_distributions(tmp_path):
    assert read_prefix(tmp_path) == {}
