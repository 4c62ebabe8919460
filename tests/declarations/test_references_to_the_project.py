"""The name of the project with extras means these extras, and never a package of that name in an index."""

from __future__ import annotations

import pytest

from isolate.declarations.read import read_declarations
from isolate.errors import DeclarationError

PROJECT = """
[project]
name = "demo"
version = "1"
dependencies = ["a", "demo[web]; python_version < '3.9'"]
[project.optional-dependencies]
web = ["w>1; sys_platform == 'linux'", "demo[more]"]
more = ["m"]
loop = ["demo[loop]; os_name == 'x'", "demo[web]", "l"]
[dependency-groups]
dev = ["Demo[Web]"]
"""


@pytest.mark.parametrize("build_system", ["", "[build-system]\nrequires = []\n"])
def test_references_stand_for_what_the_extras_require(tmp_path, build_system):
    (tmp_path / "pyproject.toml").write_text(PROJECT + build_system)
    declarations = read_declarations(tmp_path, {})
    shown = {(entry.text, entry.extra, entry.group) for entry in declarations.requirements}
    assert shown == {
        ("a", None, None),
        ('w>1; python_version < "3.9" and sys_platform == "linux"', None, None),
        ('m; python_version < "3.9"', None, None),
        ("w>1; sys_platform == 'linux'", "web", None),
        ("m", "web", None),
        ("m", "more", None),
        ("w>1; sys_platform == 'linux'", "loop", None),
        ("m", "loop", None),
        ("l", "loop", None),
        ("w>1; sys_platform == 'linux'", None, "dev"),
        ("m", None, "dev"),
    }


def test_an_extra_that_no_backend_can_know_is_an_error(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "demo"\ndependencies = ["demo[web]"]\n')
    with pytest.raises(DeclarationError, match="the project has no extra web"):
        read_declarations(tmp_path, {})
