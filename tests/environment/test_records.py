"""Environments of earlier versions keep working: their records have other names."""

from __future__ import annotations

import re
import shutil

import pytest

from conftest import SOURCE, versions
from isolate.environment.records import OLD_TEMPLATE, STATE, TEMPLATE, claimed_state, is_managed, read_state
from kit.records import unsign

pytestmark = pytest.mark.store("warm")


def with_former_records(venv):
    """Turn the records of the environment *venv* into those of an earlier version."""
    unsign(venv)
    (venv / TEMPLATE).rename(venv / OLD_TEMPLATE)
    state = (venv / STATE).read_text()
    assert '"directories"' in state
    assert '"rewritten"' in state
    (venv / STATE).write_text(state.replace('"directories"', '"folders"').replace('"rewritten"', '"written"'))


def test_the_records_of_an_earlier_version_are_read(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    state = read_state(app / ".venv")
    with_former_records(app / ".venv")
    assert read_state(app / ".venv") is None
    assert claimed_state(app / ".venv") == state
    assert is_managed(app / ".venv")
    isolate("check", cwd=app)
    assert "nothing to do" in isolate("sync", "--verify", cwd=app).out


def test_an_environment_of_an_earlier_version_is_updated_and_its_template_is_still_checked(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    with_former_records(app / ".venv")
    application({"requirements.txt": "alpha==2.0\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0"}
    assert '"folders"' not in (app / ".venv" / STATE).read_text()
    configuration = app / ".venv/pyvenv.cfg"
    configuration.write_text(f"{configuration.read_text()}# edited\n")
    assert "pyvenv.cfg" in isolate("check", cwd=app, status=1).out
    isolate("sync", cwd=app)
    isolate("check", cwd=app)
    assert not (app / ".venv" / OLD_TEMPLATE).exists()


@pytest.mark.parametrize("others", [[], ["stamp"], ["stamp", "lock.toml", "manifests", "history"]])
def test_an_environment_whose_state_was_deleted_is_still_one_of_isolate(isolate, application, index, others):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    (app / ".venv/own.txt").write_text("kept")
    (app / ".venv" / STATE).unlink()
    for name in others:
        path = app / ".venv/.isolate" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert is_managed(app / ".venv")
    for command in ("check", "status", "list", "sync --dry-run"):
        result = isolate(*command.split(), cwd=app, status=None)
        assert "was not created by isolate" not in result.out + result.err
        assert result.status in (0, 1)
    assert isolate("run", "--", "alpha", cwd=app).out.endswith("alpha 1.0\n")
    isolate("check", "--hash", cwd=app)
    assert (app / ".venv/own.txt").read_text() == "kept"


def test_one_module_joins_the_paths_of_the_records():
    """`stamp.read` and `search_path` cannot import it: the one for its speed, the other for its layer."""
    joins = re.compile(r"""["/]\.isolate["/]""")
    modules = {path.relative_to(SOURCE / "isolate") for path in SOURCE.rglob("*.py") if joins.search(code_of(path))}
    others = {"environment/stamp/read.py", "interpreters/search_path.py"}
    assert {str(path) for path in modules} == {"environment/records.py", *others}


def code_of(path):
    """Return the lines of a module without its docstring."""
    text = path.read_text()
    return text.split('"""', 2)[-1] if text.startswith('"""') else text
