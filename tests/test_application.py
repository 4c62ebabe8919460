from __future__ import annotations

import pytest

from isolate.application import Application
from isolate.application_discovery import find_applications
from isolate.errors import DeclarationError, IsolateError
from isolate.git_changes import changed_files


def test_a_path_that_is_not_a_directory_is_an_error_that_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(IsolateError, match="missing does not exist"):
        Application.at(tmp_path / "missing")
    with pytest.raises(IsolateError, match="file is not a directory"):
        Application.at(tmp_path / "file")


@pytest.mark.parametrize("pattern", ["", "/services/*"])
def test_a_pattern_that_no_directory_can_match_is_an_error_with_its_file(tmp_path, pattern):
    (tmp_path / "pyproject.toml").write_text(f'[tool.isolate]\napplications = ["{pattern}"]\n')
    with pytest.raises(DeclarationError) as caught:
        find_applications(tmp_path)
    place = f"{tmp_path / 'pyproject.toml'}: tool.isolate.applications"
    assert str(caught.value).splitlines() == [
        f"{place}: `{pattern}` is not a valid glob pattern for directories of the repository",
        "hint: write a pattern such as `services/*`",
    ]


def test_changes_outside_a_repository_are_an_error(tmp_path):
    with pytest.raises(IsolateError, match="is not in a git repository"):
        changed_files([tmp_path], "HEAD")
