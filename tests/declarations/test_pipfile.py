"""`Pipfile`: what is read of it, and what is refused."""

from __future__ import annotations

import pytest

from conftest import versions
from isolate.application_discovery import is_application
from isolate.declarations.read import read_declarations
from isolate.errors import IsolateError

PIPFILE = """
[[source]]
url = "https://pypi.example/simple"
verify_ssl = true
name = "pypi"

[[source]]
url = "https://${USER}@corp.example/simple"
name = "corp"
verify_ssl = false

[packages]
alpha = "*"
Beta = {version = "~=1.0", extras = ["x", "y"], markers = "python_version > '3'", sys_platform = "== 'linux'"}
pinned = "1.2"
corp-lib = {version = ">1", index = "corp"}
main = {version = "*", index = "pypi"}
repo = {git = "https://h.example/r.git", ref = "v1"}
local = {path = "./lib", editable = true, extras = ["z"]}
a1b2c3d = {path = ".", editable = true}
wheel = {file = "https://h.example/w-1-py3-none-any.whl"}

[dev-packages]
gamma = ">2"

[Docs]
sphinx = "*"

[requires]
python_version = "3.11"
"""


def read(root, text, **environ):
    (root / "Pipfile").write_text(text)
    return read_declarations(root, environ)


def test_packages_and_categories(tmp_path):
    (tmp_path / "lib").mkdir()
    declarations = read(tmp_path, PIPFILE, USER="me")
    assert [entry.text for entry in declarations.selected((), ())] == [
        "alpha",
        'Beta[x,y]~=1.0; python_version > "3" and sys_platform == "linux"',
        "pinned==1.2",
        "corp-lib>1",
        "main",
        "repo @ git+https://h.example/r.git@v1",
        f"-e 'local[z] @ file://{tmp_path}/lib'",
        f"-e file://{tmp_path}",
        "wheel @ https://h.example/w-1-py3-none-any.whl",
    ]
    assert [entry.text for entry in declarations.requirements if entry.group] == ["gamma>2", "sphinx"]
    assert (declarations.groups, declarations.default_groups) == (("dev", "docs"), ("dev",))
    assert str(declarations.requires_python) == "==3.11.*"
    assert declarations.package_indexes == {"corp-lib": "https://${USER}@corp.example/simple"}
    assert declarations.index_options == ("--trusted-host corp.example",)
    assert "USER" in declarations.variable_names
    assert is_application(tmp_path)


def test_the_first_source_is_the_index_of_all_packages(tmp_path):
    sources = '[[source]]\nname = "a"\nurl = "https://${T}@a.x"\n[[source]]\nname = "b"\nurl = "https://b.x"\n'
    declarations = read(tmp_path, sources, T="secret")
    assert declarations.index_options == ("--index-url 'https://${T}@a.x'",)
    assert declarations.expanded_index_options == ("--index-url 'https://secret@a.x'",)
    declarations = read(tmp_path, f"{sources}[pipenv]\ninstall_search_all_sources = true\nallow_prereleases = true\n")
    assert declarations.index_options == ("--pre", "--index-url 'https://${T}@a.x'", "--extra-index-url https://b.x")


def test_other_declarations_come_first(tmp_path):
    (tmp_path / "setup.py").write_text("setup()")
    assert [entry.text for entry in read(tmp_path, '[packages]\na = "*"\n').requirements] == ["a"]
    (tmp_path / "requirements.txt").write_text("b\n")
    assert [entry.text for entry in read_declarations(tmp_path, {}).requirements] == ["b"]


WRONG = [
    '[packages]\na = {version = "1", gitt = "x"}\n',
    '[packages]\na = {index = "other"}\n',
    '[packages]\na = {git = "https://h.example/a", editable = true}\n',
    "[packages]\na = 1\n",
    '[packages]\na = "="\n',
    '[requires]\npython_version = "x"\n',
    '[package]\na = "1"\n',
    '[dev_packages]\na = "1"\n',
    '[packagess]\na = "1"\n',
    '[[sources]]\nurl = "https://h.example"\n',
    '[[source]]\nuri = "https://h.example"\n',
    '[require]\npython_version = "3"\n',
    '[requires]\npython_versions = "3"\n',
    "[source]\n",
    "packages = 1\n",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_not_understood_is_an_error(tmp_path, text):
    with pytest.raises(IsolateError):
        read(tmp_path, text)


def test_an_application_with_a_pipfile_is_synced(isolate, application, index):
    app = application({"Pipfile": '[packages]\nalpha = "<2"\n[dev-packages]\ndelta = "*"\n'})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "delta": "1.0"}
    isolate("check", cwd=app)
    assert isolate("sync", cwd=app).out.startswith("nothing to do")
    isolate("sync", "--no-dev", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1"}
    (app / "Pipfile").write_text('[packages]\nalpha = "*"\n')
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1"}
