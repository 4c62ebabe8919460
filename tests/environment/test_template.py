"""The site-packages directory has another name for each kind of Python."""

from __future__ import annotations

import pytest

from isolate.environment.template import site_packages


@pytest.mark.parametrize(
    ("version", "free_threaded", "directory"),
    [
        ("3.13.0", False, "python3.13"),
        ("3.13.0", True, "python3.13t"),
        ("3.14.0rc1", True, "python3.14t"),
        ("3.10.14", False, "pypy3.10"),
    ],
)
def test_each_kind_of_python_has_its_own_site_packages(tmp_path, version, free_threaded, directory):
    for name in ("pypy3.10", "python3.13", "python3.13t", "python3.14", "python3.14t"):
        (tmp_path / "lib" / name / "site-packages").mkdir(parents=True)
    interpreter = {"version": version, "free_threaded": free_threaded}
    assert site_packages(tmp_path, interpreter) == f"lib/{directory}/site-packages"


def test_the_site_packages_of_another_kind_of_python_is_ignored(tmp_path):
    (tmp_path / "lib/python3.13/site-packages").mkdir(parents=True)
    assert site_packages(tmp_path, {"version": "3.13.0", "free_threaded": True}) is None
