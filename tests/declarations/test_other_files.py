"""What is said about files that declare requirements, and are not read."""

from __future__ import annotations

import pytest

from isolate.declarations.other_files import unread_files
from isolate.declarations.read import read_declarations
from isolate.errors import NoDeclarations


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("requirements-dev.txt", "", "`isolate sync -r requirements-dev.txt`"),
        ("requirements.in", "", "`isolate sync -r requirements.in`"),
        ("requirments.txt", "", "`isolate sync -r requirments.txt`"),
        ("requirements/dev.txt", "", "`isolate sync -r requirements/dev.txt`"),
        ("environment.yml", "", "environment.yml is for conda"),
        ("uv.lock", "", "uv.lock is the lock of a pyproject.toml"),
        ("Pipfile.lock", "", "Pipfile.lock is the lock of a Pipfile"),
        ("setup.cfg", "[options]\n", "setup.cfg is there"),
        ("pyproject.toml", "[build-system]\nrequires = []\n", "pyproject.toml has neither"),
    ],
)
def test_no_declarations_names_what_is_there(tmp_path, file, text, expected):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    with pytest.raises(NoDeclarations) as caught:
        read_declarations(tmp_path, {})
    assert expected in str(caught.value)


def test_files_that_declare_nothing_are_not_named(tmp_path):
    for name in ("notes.txt", "setup.cfg", "poetry.toml"):
        (tmp_path / name).write_text("")
    with pytest.raises(NoDeclarations) as caught:
        read_declarations(tmp_path, {})
    assert len(caught.value.facts) == 1


PROJECT = '[project]\nname = "a"\n'
BESIDE = [
    ({"pyproject.toml": f'{PROJECT}dependencies = ["b"]\n', "requirements.txt": ""}, (), ["requirements.txt"]),
    ({"requirements.txt": "", "setup.py": "", "Pipfile": ""}, (), ["Pipfile", "setup.py"]),
    ({"Pipfile": "[packages]\n", "setup.py": ""}, (), ["setup.py"]),
    ({"setup.py": ""}, (), []),
    (
        {"pyproject.toml": f'{PROJECT}dynamic = ["dependencies"]\n', "requirements.txt": ""},
        ("requirements.txt",),
        [],
    ),
    ({"pyproject.toml": f'{PROJECT}dependencies = ["b"]\n[build-system]\n', "setup.py": ""}, (), []),
]


@pytest.mark.parametrize(("files", "built_from", "names"), BESIDE)
def test_what_lies_beside_is_named(tmp_path, files, built_from, names):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    lines = unread_files(read_declarations(tmp_path, {}), built_from)
    assert [line.split()[2].rstrip(",") for line in lines] == names


def test_what_lies_beside_is_said_once(isolate, application, index):
    app = application({"requirements.txt": "alpha\n", "Pipfile": "[packages]\n"})
    assert "not read: Pipfile, because of requirements.txt" in isolate("sync", cwd=app).out
    (app / "requirements.txt").write_text("alpha\ndelta\n")
    assert "not read" not in isolate("sync", cwd=app).out
