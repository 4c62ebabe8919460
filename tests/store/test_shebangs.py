"""Scripts run with the interpreter of their environment, whatever its path is."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pip._vendor.distlib.scripts import ScriptMaker, enquote_executable

from isolate.store.shebangs import SHEBANG_LIMIT, add_shebang, strip_shebang


@pytest.mark.parametrize(
    "python", ["/a/bin/python", "/a b/bin/python", f"/{'x' * 200}/python", f"/{'語' * 100}/python", '/"$x/python']
)
def test_a_script_runs_with_the_interpreter_beside_it(tmp_path, python):
    script = add_shebang(b"print('ran')\n", python)
    assert script.index(b"\n") < SHEBANG_LIMIT
    (tmp_path / "python").symlink_to(sys.executable)
    (tmp_path / "script").write_bytes(script)
    (tmp_path / "script").chmod(0o755)
    if script.startswith(b"#!/bin/sh"):
        assert subprocess.run([tmp_path / "script"], capture_output=True, text=True, check=True).stdout == "ran\n"
    else:
        assert strip_shebang(script, python) == b"print('ran')\n"


@pytest.mark.parametrize(
    "python", ["/a/bin/python", "/a b/bin/python", f"/{'x' * 200}/python", f"/{'a b' * 80}/python"]
)
def test_every_form_of_first_lines_that_pip_writes_is_recognized(tmp_path, python):
    maker = ScriptMaker(None, str(tmp_path))
    maker.executable = enquote_executable(python)
    maker.variants = {""}
    (script,) = maker.make("tool = package:main")
    with open(script, "rb") as file:
        body = strip_shebang(file.read(), python)
    assert body is not None
    assert python.encode() not in body
