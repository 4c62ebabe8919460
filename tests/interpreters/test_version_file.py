"""Where `.python-version` is searched for, and which of its lines counts."""

from __future__ import annotations

import pytest

from isolate.errors import DeclarationError
from isolate.interpreters.request import PythonRequest
from isolate.interpreters.version_file import read_version_file


def test_it_is_searched_for_up_to_the_top_of_the_repository(tmp_path):
    (tmp_path / ".python-version").write_text("# ours\n3.12\n")
    inner = tmp_path / "repository/app"
    inner.mkdir(parents=True)
    assert read_version_file(inner) == PythonRequest(text="3.12", source=".python-version: 3.12", directory=tmp_path)
    (tmp_path / "repository/.git").mkdir()
    assert read_version_file(inner) is None


def test_a_file_without_a_version_is_refused(tmp_path):
    (tmp_path / ".python-version").write_text("\n")
    with pytest.raises(DeclarationError, match="contains no Python version"):
        read_version_file(tmp_path)


@pytest.mark.parametrize(
    ("content", "version"),
    [("3.12\n3.11\n", "3.12"), ("\ufeff3.12\r\n", "3.12"), ("\n  # comment\n pypy3.10 \n", "pypy3.10")],
)
def test_the_first_line_that_is_not_a_comment_counts(tmp_path, content, version):
    (tmp_path / ".python-version").write_bytes(content.encode())
    request = read_version_file(tmp_path)
    assert (request.text, request.directory) == (version, tmp_path)
