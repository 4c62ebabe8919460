"""A key of a known table with a letter too many or too few is an error, never an environment without packages."""

from __future__ import annotations

import pytest
import test_backends
import test_files
import test_tables
from forms import Form, write

from isolate.declarations import misspelt, pdm_tables, pipfile, poetry_tables, uv_keys
from isolate.declarations.project_file import SETTING_NAMES, read_project_file
from isolate.declarations.read import read_declarations
from isolate.errors import DeclarationError, IsolateError
from kit.packages import build_tree

FORMS = {
    f"{module.__name__}.{name}": form
    for module in (test_backends, test_tables, test_files)
    for name, form in vars(module).items()
    if isinstance(form, Form) and any("%" in text for text in form.files.values())
}

CHANGES = {
    "longer": lambda key: key + key[-1],
    "shorter": lambda key: key[:-1],
    "swapped": lambda key: f"{key[:2]}{key[3]}{key[2]}{key[4:]}",
    "underscore": lambda key: key.replace("-", "_") if "-" in key else f"{key}_",
    "capital": str.capitalize,
}

KEYS = {
    "": misspelt.TOP_LEVEL_KEYS,
    "project": misspelt.PROJECT_KEYS,
    "tool.isolate": SETTING_NAMES,
    "tool.uv": (*uv_keys.HONOURED, *uv_keys.REFUSED),
    "tool.uv.workspace": uv_keys.WORKSPACE_KEYS,
    "tool.pdm": pdm_tables.DECLARING,
    "tool.pdm.resolution": pdm_tables.RESOLUTION_KEYS,
    "tool.poetry": poetry_tables.DECLARING,
    "tool.poetry.group.x": poetry_tables.GROUP_KEYS,
}
"""The keys that declare something, by their table in a `pyproject.toml`."""


@pytest.fixture
def app(tmp_path):
    (tmp_path / "repository/.git").mkdir(parents=True)
    app = tmp_path / "repository/app"
    for tree in ("lib", "tool", "../from-path", "../from-git", "../libs/core"):
        build_tree(app / tree, tree.rpartition("/")[2], "1.0")
    return app


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", FORMS)
def test_the_key_of_each_form(app, name, change):
    form = FORMS[name]
    write(app, form.texts())
    declarations = read_declarations(app, {})
    assert declarations.requirements or declarations.needs_build or declarations.poetry
    write(app, form.texts(CHANGES[change]))
    with pytest.raises(IsolateError):
        read_declarations(app, {})


OTHERS = {"tool.uv": uv_keys.IGNORED, "tool.pdm": pdm_tables.OTHERS, "tool.poetry": poetry_tables.OTHERS}


CASES = [(table, key, change) for table, keys in KEYS.items() for key in keys for change in CHANGES]


@pytest.mark.parametrize(("table", "key", "change"), CASES)
def test_each_key(tmp_path, table, key, change):
    renamed = CHANGES[change](key)
    if renamed in (*KEYS[table], *OTHERS.get(table, ())):
        pytest.skip(f"{renamed} is a key, too")
    (tmp_path / "pyproject.toml").write_text(f"[{table}]\n{renamed} = {{}}\n" if table else f"{renamed} = {{}}\n")
    with pytest.raises(DeclarationError, match="unknown"):
        read_project_file(tmp_path / "pyproject.toml")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("key", pipfile.DECLARING)
def test_each_key_of_a_pipfile(tmp_path, key, change):
    (tmp_path / "Pipfile").write_text(f"[{CHANGES[change](key)}]\n")
    with pytest.raises(DeclarationError, match="unknown"):
        read_declarations(tmp_path, {})
