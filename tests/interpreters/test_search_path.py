"""Programs are looked for on PATH, but not in environments that isolate made."""

from __future__ import annotations

import os

import pytest

from isolate.interpreters.search_path import search_path


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_an_environment_that_isolate_made_is_left_out(tmp_path, end):
    for directory in ("made/bin", "made/.isolate", "other/bin"):
        (tmp_path / directory).mkdir(parents=True)
    path = os.pathsep.join([f"{tmp_path}/made/bin{end}", "", f"{tmp_path}/other/bin", "/nowhere"])
    assert search_path({"PATH": path}) == ["", f"{tmp_path}/other/bin", "/nowhere"]
    assert search_path({"PATH": f"{tmp_path}/made/bin"}) == os.defpath.split(os.pathsep)
    assert search_path({}) == os.defpath.split(os.pathsep)
