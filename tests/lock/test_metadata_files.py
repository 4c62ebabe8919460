"""Files that extras come from, which only a build reads."""

from __future__ import annotations

import pytest

from isolate.lock.local_sources import is_same_metadata, metadata_digest

HATCH = """
[tool.hatch.metadata.hooks.requirements_txt]
files = ["requirements.txt"]
[tool.hatch.metadata.hooks.requirements_txt.optional-dependencies]
docs = ["requirements-docs.txt"]
"""
SETUPTOOLS = "[tool.setuptools.dynamic.optional-dependencies]\ndocs = { file = ['requirements-docs.txt'] }\n"


@pytest.mark.parametrize("text", [HATCH, SETUPTOOLS])
def test_a_change_of_the_requirements_of_an_extra_is_noticed(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "requirements-docs.txt").write_text("alpha\n")
    recorded = metadata_digest(str(tmp_path))
    assert is_same_metadata(recorded, metadata_digest(str(tmp_path)))
    (tmp_path / "requirements-docs.txt").write_text("alpha\nbeta\n")
    assert not is_same_metadata(recorded, metadata_digest(str(tmp_path)))


@pytest.mark.parametrize("text", ["[tool.hatch.metadata]\nhooks = 3\n", "[tool.setuptools.dynamic]\nx = []\n"])
def test_tables_of_other_kinds_name_no_file(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text)
    assert "+" not in metadata_digest(str(tmp_path))
