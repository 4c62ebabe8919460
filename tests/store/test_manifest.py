"""Manifests: what they are computed from, and which files count as one."""

from __future__ import annotations

import json

import pytest

from isolate.store.manifest import (
    File,
    Manifest,
    code_directories,
    parent_directories,
    path_tree,
    read_manifest,
    write_manifest,
)

SITE = "lib/python3.12/site-packages"
FILES = tuple(
    File(path, 1, 2, "ab", "file") for path in (f"{SITE}/a/b.py", f"{SITE}/a/data/x.txt", "bin/a", "share/man/a.1")
)
MANIFEST = Manifest(
    name="a", version="1.0", source_id="sha256:ab", compat_tag="cp312-linux_x86_64", pip="26.1", files=FILES
)


def test_directories_come_parents_first():
    assert parent_directories(["a/b/c.py", "a/d.py", "e.py"]) == ("a", "a/b")


def test_paths_as_a_tree():
    assert path_tree(["a/b/c.py", "a/d.py", "e.py"]) == {"a": {"b": {"c.py": {}}, "d.py": {}}, "e.py": {}}


def test_only_directories_with_code_count_as_such():
    assert code_directories(FILES) == ("bin", SITE, f"{SITE}/a")


def test_a_manifest_is_the_same_after_it_was_written_and_read(tmp_path):
    write_manifest(MANIFEST, tmp_path / "manifest.json")
    assert read_manifest(tmp_path / "manifest.json") == MANIFEST


def test_a_manifest_with_the_old_names_of_its_fields_is_read(tmp_path):
    table = json.loads(MANIFEST.to_json())
    table["identity"] = table.pop("source_id")
    table["interpreter_kind"] = table.pop("compat_tag")
    (tmp_path / "manifest.json").write_text(json.dumps(table))
    assert read_manifest(tmp_path / "manifest.json") == MANIFEST


@pytest.mark.parametrize("content", ["", "[]", "{}", "1", '{"files": []}', '{"files": [["a", 1]]}', '{"files": 1}'])
def test_anything_else_is_not_a_manifest(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match=r"is not a manifest|Expecting value"):
        read_manifest(tmp_path / "manifest.json")
