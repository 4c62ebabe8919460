"""What pip installed becomes entries, whatever its RECORD lists."""

from __future__ import annotations

import subprocess
import zipfile

import pytest

from conftest import inconsistencies, site, versions
from isolate.store.unpacked import read_prefix
from kit.packages import build_wheel

WRONG_ROWS = {
    "alpha/__init__.py has another hash": lambda rows: [rows[0].replace("sha256=", "sha256=A"), *rows[1:]],
    "alpha/ghost.py is missing": lambda rows: ["alpha/ghost.py,sha256=abc,3", *rows],
    "alpha/__init__.py/x is missing": lambda rows: ["alpha/__init__.py/x,sha256=abc,3", *rows],
    "alpha is a directory": lambda rows: ["alpha/,,", *rows],
    "site-packages is a directory": lambda rows: [",,", *rows],
    "bin/wrapper is missing": lambda rows: [*rows, "../../../bin/wrapper,sha256=abc,3"],
    "bin is a directory": lambda rows: ["../../../bin,,", *rows],
    "alpha/__init__.py is listed twice": lambda rows: [rows[0], *rows],
}


@pytest.mark.parametrize("fault", WRONG_ROWS)
def test_a_record_is_taken_as_pip_takes_it(isolate, application, index, fault):
    wheel = build_wheel(index.directory, "alpha", "5.0", scripts={"alpha": "alpha:main"}, record=WRONG_ROWS[fault])
    content = zipfile.ZipFile(wheel).read("alpha/__init__.py")
    app = application({"requirements.txt": "alpha==5.0\nbeta==2.0\n"})
    [warning] = [line for line in isolate("sync", cwd=app).err.splitlines() if "warning" in line]
    assert warning.startswith("warning: the RECORD of alpha 5.0 is wrong, and its files are kept as pip unpacked them")
    assert warning.endswith(fault)
    assert (site(app) / "alpha/__init__.py").read_bytes() == content
    assert isolate("check", "--hash", cwd=app).out.startswith("OK: 2 packages")
    assert "nothing to do" in isolate("sync", "--verify", cwd=app).out
    isolate("store", "verify")
    assert "warning" not in isolate("sync", cwd=application({"requirements.txt": "alpha==5.0\n"}, name="other")).err


def test_a_warning_about_a_record_lists_no_more_than_a_few_rows(isolate, application, index):
    ghosts = [f"alpha/{number}.py,," for number in range(9)]
    build_wheel(index.directory, "alpha", "5.0", record=lambda rows: [*rows, *ghosts])
    message = isolate("sync", cwd=application({"requirements.txt": "alpha==5.0\n"})).err
    assert message.count("is missing") == 3
    assert "and 6 more faults" in message


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
