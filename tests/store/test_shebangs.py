"""Scripts run with the interpreter of their environment, whatever its path is."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
