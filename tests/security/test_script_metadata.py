"""The metadata of a script is read boundedly, and its environment stays where it belongs."""

from __future__ import annotations

import os
import time

import pytest
from test_bounded_reads import KINDS, SECONDS, SECRET, put

from isolate.declarations.script_file import read_script
from isolate.errors import DeclarationError

BLOCK = "# /// script\n# dependencies = [{}]\n# ///\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_script_that_is_not_a_file_is_refused(isolate, tmp_path, monkeypatch, kind):
    monkeypatch.setenv("SOME_TOKEN", SECRET)
    put(kind, tmp_path / "tool.py")
    for command in (["sync", "tool.py"], ["run", "tool.py"]):
        started = time.monotonic()
        result = isolate(*command, cwd=tmp_path, status=2)
        assert time.monotonic() - started < SECONDS
        assert SECRET not in result.err


@pytest.mark.parametrize(
    "dependencies",
    [
        '"alpha" ' * 2,
        '"alpha\\u0000"',
        '"-r /etc/passwd"',
        '"--index-url https://example.com"',
        '"-e ."',
        '"./local"',
        f'"alpha=={"1" * 2000}"',
        "[" * 50_000,
        '"alpha", ' * 30_000,
    ],
)
def test_what_is_not_a_dependency_is_refused(tmp_path, dependencies):
    script = tmp_path / "tool.py"
    script.write_text(BLOCK.format(dependencies))
    started = time.monotonic()
    with pytest.raises(DeclarationError):
        read_script(script)
    assert time.monotonic() - started < SECONDS


def test_many_lines_that_look_like_blocks_are_read_in_time(tmp_path):
    script = tmp_path / "tool.py"
    script.write_text("# /// script\n" * 100_000)
    started = time.monotonic()
    with pytest.raises(DeclarationError):
        read_script(script)
    assert time.monotonic() - started < SECONDS


def test_control_characters_of_a_block_are_not_printed(isolate, tmp_path):
    (tmp_path / "tool.py").write_text('# /// script\n# "\\u001b[31m" = 1\n# ///\n')
    result = isolate("run", "tool.py", cwd=tmp_path, status=2)
    assert "\x1b" not in result.err


@pytest.mark.parametrize("content", ["", "[", '["/etc/passwd"]', '["\\u0000", null]', "[1, 2]", "{}"])
def test_a_damaged_record_of_a_use_is_no_use(isolate, cache, tmp_path, content):
    uses = cache / "store-v1/scripts/0123/uses"
    uses.mkdir(parents=True)
    (uses / "x").write_text(content)
    os.symlink(tmp_path, uses.parent / "link")
    os.symlink(tmp_path, uses.parent.parent / "link")
    (tmp_path / "kept").write_text("")
    isolate("store", "gc")
    assert not uses.exists()
    assert (tmp_path / "kept").exists()
    assert not (tmp_path / "in-use").exists()
