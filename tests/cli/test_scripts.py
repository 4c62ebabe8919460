"""A script with inline metadata (PEP 723) runs in an environment of its own, which is kept in the cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from conftest import SOURCE, versions
from kit.packages import build_tree, build_wheel

BLOCK = '# /// script\n# dependencies = ["alpha<2"]\n# ///\n'
BODY = "import sys, alpha\nprint(alpha.__version__, *sys.argv[1:])\n"


@pytest.fixture
def scripts(cache):
    """Return a function that returns the directories of the environments of scripts."""
    return lambda: sorted((cache / "store-v1/scripts").glob("*"))


@pytest.fixture
def script(tmp_path, index):
    del index
    (tmp_path / "tool.py").write_text(BLOCK + BODY)
    return tmp_path / "tool.py"


def test_a_script_runs_with_what_it_declares(isolate, script, scripts, tmp_path):
    result = isolate("run", "tool.py", "--flag", "x", cwd=tmp_path)
    assert result.out == "1.1 --flag x\n"
    assert f"read {script}\n" in result.err
    again = isolate("run", "./tool.py", cwd=tmp_path)
    assert (again.out, again.err) == ("1.1\n", "")
    [environment] = scripts()
    assert versions(environment / ".venv") == {"alpha": "1.1"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "home", "index", "tool.py"]


def test_a_script_is_synced_ahead(isolate, script, scripts, tmp_path):
    facts = json.loads(isolate("sync", "tool.py", "--json", cwd=tmp_path).out)
    assert facts["declarations"] == [str(script)]
    assert facts["packages"] == 1
    assert facts["lock"]["in_tree"] is False
    assert "nothing to do: 1 package" in isolate("sync", "tool.py", cwd=tmp_path).out
    assert "Traceback" not in isolate("run", "--no-sync", "tool.py", cwd=tmp_path).err
    assert len(scripts()) == 1


def test_scripts_that_ask_for_the_same_share(isolate, script, scripts, tmp_path):
    other = tmp_path / "below/other.py"
    other.parent.mkdir()
    other.write_text(BODY + BLOCK.replace("[", "[  # why\n#   "))
    isolate("run", "tool.py", cwd=tmp_path)
    assert isolate("run", other, cwd=tmp_path).out == "1.1\n"
    assert len(scripts()) == 1


def test_an_edited_script_gets_another_environment(isolate, script, scripts, tmp_path):
    isolate("run", "tool.py", cwd=tmp_path)
    script.write_text(BLOCK.replace("alpha<2", "alpha") + BODY)
    assert isolate("run", "tool.py", cwd=tmp_path).out == "2.0\n"
    assert len(scripts()) == 2
    assert f"removed the environment of {script}\n" in isolate("store", "gc").out
    assert len(scripts()) == 1
    script.rename(tmp_path / "moved.py")
    assert isolate("run", "moved.py", cwd=tmp_path).out == "2.0\n"
    assert "removed the environment" not in isolate("store", "gc").out
    (tmp_path / "moved.py").unlink()
    assert json.loads(isolate("store", "gc", "--json").out)["scripts"] == [str(tmp_path / "moved.py"), str(script)]
    assert scripts() == []


def started(directory):
    """Return a process that runs the script in *directory*."""
    command = [sys.executable, "-m", "isolate", "run", "tool.py"]
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, text=True, env=environ)


def test_gc_leaves_an_environment_that_a_script_runs_in(isolate, script, scripts, tmp_path):
    script.write_text(BLOCK + "import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    isolate("sync", "tool.py", cwd=tmp_path)
    with started(tmp_path) as running:
        assert running.stdout.readline() == "up\n"
        script.unlink()
        isolate("store", "gc")
        assert len(scripts()) == 1
        running.kill()
    isolate("store", "gc")
    assert scripts() == []


def test_two_processes_make_one_environment(script, scripts, tmp_path, isolate):
    isolate("store", "path")
    running = [started(tmp_path) for _ in range(2)]
    assert [process.communicate(timeout=100)[0] for process in running] == ["1.1\n", "1.1\n"]
    assert len(scripts()) == 1


def test_the_versions_of_a_script_stay(isolate, script, scripts, tmp_path, index):
    isolate("run", "tool.py", cwd=tmp_path)
    build_wheel(tmp_path / "index", "alpha", "1.2")
    [environment] = scripts()
    shutil.rmtree(environment / ".venv")
    assert isolate("run", "tool.py", cwd=tmp_path).out == "1.1\n"
    assert isolate("sync", "tool.py", "--upgrade", cwd=tmp_path)
    assert isolate("run", "tool.py", cwd=tmp_path).out == "1.2\n"


def test_each_python_has_an_environment_of_its_own(isolate, script, scripts, tmp_path):
    isolate("run", "tool.py", cwd=tmp_path)
    assert isolate("run", "--python", sys.executable, "tool.py", cwd=tmp_path).out == "1.1\n"
    assert len(scripts()) == 2
    (tmp_path / ".python-version").write_text("3.9999\n")
    assert ".python-version" in isolate("run", "tool.py", cwd=tmp_path, status=2).err
    script.write_text(BLOCK.replace("# dep", '# requires-python = ">=3"\n# dep') + BODY)
    assert isolate("run", "tool.py", cwd=tmp_path).out == "1.1\n"
    assert "is for a script" in isolate("run", "--python", "3", "--", "true", cwd=tmp_path, status=2).err


def test_a_script_without_a_block_runs_in_the_environment_of_the_application(isolate, application, index, scripts):
    app = application({"requirements.txt": "alpha==1.0\n", "tool.py": BODY})
    assert isolate("run", "tool.py", "x", cwd=app).out == "1.0 x\n"
    assert "1.0 x" in isolate("run", "--all", "tool.py", "x", cwd=app).out
    (app / "tool.py").write_text("#!/bin/sh\necho a program\n")
    (app / "tool.py").chmod(0o755)
    assert isolate("run", "./tool.py", cwd=app).out == "a program\n"
    assert scripts() == []
    assert "has no block `# /// script`" in isolate("sync", "tool.py", cwd=app, status=2).err


@pytest.mark.parametrize(
    ("lines", "line", "part"),
    [
        (["# dependencies = [", "# ///"], None, "not valid TOML"),
        (["# dependencies = 1", "# ///"], 3, "dependencies: expected a list of strings, found a number"),
        (["#", '# dependencies = ["a=1"]', "# ///"], 4, "a=1"),
        (["# requires-python = '3.x.y'", "# ///"], 3, "requires-python"),
        (["# dependancies = []", "# ///"], 3, "unknown key dependancies"),
        (["# dependencies = []", "", "# ///"], 2, "has no end"),
        (["#dependencies = []", "# ///"], 2, "has no end"),
        (["# ///", "", "# /// script", "# ///"], 5, "there is another block `# /// script` in line 2"),
        (["# [tool.uv]", "# exclude-newer = 'x'", "# ///"], 4, "tool.uv.exclude-newer is not supported: pip has"),
        (["# [tool.isolate]", "# requirements = ['x']", "# ///"], 4, "tool.isolate.requirements is not about a script"),
        (["# [tool.isolate]", "# unknown = 1", "# ///"], 4, "unknown key unknown"),
        (["# [tool.isolate]", "# python = '3.9999'", "# ///"], None, "3.9999"),
    ],
)
def test_an_invalid_block_is_an_error_with_its_line(isolate, tmp_path, scripts, lines, line, part):
    script = tmp_path / "tool.py"
    script.write_text("\n".join(["x = 1", "# /// script", *lines, "print('ran')", ""]))
    result = isolate("run", "tool.py", cwd=tmp_path, status=2)
    assert part in result.err
    assert f"{script}:{line}: " in result.err if line else str(script) in result.err
    assert "ran" not in result.out
    assert not any((environment / ".venv").exists() for environment in scripts())


@pytest.mark.parametrize("options", [["-r", "x.txt"], ["--save"], ["--locked"], ["--frozen"], ["--extra", "x"]])
def test_options_that_are_not_about_scripts_are_refused(isolate, script, tmp_path, options):
    assert isolate("sync", "tool.py", *options, cwd=tmp_path, status=2).err


def test_a_store_that_is_temporary_keeps_no_environment(isolate, script, tmp_path):
    place = tmp_path / "file"
    place.write_text("")
    result = isolate("run", "tool.py", cwd=tmp_path, status=2, env={"ISOLATE_CACHE_DIR": str(place / "x")})
    assert "there is no place for the environment of a script" in result.err


def test_a_package_comes_from_its_source(isolate, script, scripts, tmp_path):
    build_tree(tmp_path / "local", "alpha", "3.0")
    table = "# [tool.uv.sources]\n# alpha = { path = 'local' }\n"
    script.write_text(f'# /// script\n# dependencies = ["alpha"]\n{table}# ///\n{BODY}')
    assert isolate("run", "tool.py", cwd=tmp_path).out == "3.0\n"
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(script, tmp_path / "elsewhere/tool.py")
    assert str(tmp_path / "elsewhere/local") in isolate("run", "elsewhere/tool.py", cwd=tmp_path, status=2).err
    assert len(scripts()) == 2


def test_a_cache_that_no_environment_works_in_is_told(isolate, script, tmp_path):
    result = isolate("run", "tool.py", cwd=tmp_path, status=2, env={"ISOLATE_CACHE_DIR": str(tmp_path / "a:b")})
    assert "has a colon in its path" in result.err


def test_a_damaged_record_of_the_metadata_is_written_again(isolate, script, scripts, tmp_path):
    isolate("run", "tool.py", cwd=tmp_path)
    [environment] = scripts()
    (environment / "metadata.json").write_text("{")
    isolate("run", "tool.py", cwd=tmp_path)
    assert json.loads((environment / "metadata.json").read_text()) == [{"dependencies": ["alpha<2"]}, ""]


def test_the_rest_of_a_script_may_have_another_encoding(isolate, script, tmp_path):
    script.write_bytes(b"# -*- coding: latin-1 -*-\n" + (BLOCK + BODY).encode() + 'print("é")\n'.encode("latin-1"))
    assert isolate("run", "tool.py", cwd=tmp_path).out == "1.1\né\n"
    script.write_bytes(BLOCK.replace("alpha", "é").encode("latin-1"))
    assert (
        f"{script}:1: the block `# /// script` is not valid UTF-8"
        in isolate("run", "tool.py", cwd=tmp_path, status=2).err
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_other_blocks_and_line_ends_do_not_matter(isolate, tmp_path, index, end):
    text = f"# /// other\n# x = (\n# ///\n\n{BLOCK}\n{BODY}"
    (tmp_path / "tool.py").write_bytes(text.replace("\n", end).encode())
    assert isolate("run", "tool.py", cwd=tmp_path).out == "1.1\n"
