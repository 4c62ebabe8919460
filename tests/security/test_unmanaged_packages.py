"""What another program put into an environment: a RECORD that claims any file, metadata of any kind, links."""

from __future__ import annotations

import os

import pytest

from conftest import inconsistencies, site

pytestmark = pytest.mark.store("warm")

OTHERS = ("../../../bin/python", "../../../pyvenv.cfg", "../../../lib64", "../../../bin", "alpha/__init__.py", ".")


@pytest.fixture
def app(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    return app


def add_metadata(app, name, record=()):
    directory = site(app) / f"{name}.dist-info"
    directory.mkdir()
    own = f"{directory.name}/RECORD"
    (directory / "RECORD").write_text("".join(f"{path},,\n" for path in (*record, own)))


def test_removing_a_package_removes_no_file_of_the_environment_or_of_a_package_that_stays(isolate, app):
    (site(app) / "zeta.py").write_text("")
    add_metadata(app, "zeta-1.0", (*OTHERS, "zeta.py"))
    before = {path for path in (app / ".venv").rglob("*") if ".isolate" not in path.parts and "zeta" not in str(path)}
    assert "- zeta 1.0" in isolate("sync", cwd=app).out
    assert not (site(app) / "zeta.py").exists()
    assert {path for path in before if not os.path.lexists(path)} == set()
    assert inconsistencies(app / ".venv") == []
    assert isolate("check", "--hash", cwd=app).out.startswith("OK")


@pytest.mark.parametrize("name", ["zeta-1.0", "", "-", "ze\x1b[31mta-1", os.fsdecode(b"\xff-1")])
def test_metadata_without_a_file_is_no_package_that_cannot_be_removed(isolate, app, name):
    (site(app) / f"{name}.dist-info").mkdir()
    isolate("sync", cwd=app)
    assert isolate("check", cwd=app).out.startswith("OK")


@pytest.mark.parametrize("directory", ["lib", "bin", "lib/python/site-packages/alpha"])
def test_a_link_in_place_of_a_directory_is_called_modified(isolate, app, tmp_path, directory):
    path = directory.replace("lib/python/site-packages", str(site(app).relative_to(app / ".venv")))
    (app / ".venv" / path).rename(tmp_path / "elsewhere")
    (app / ".venv" / path).symlink_to(tmp_path / "elsewhere")
    assert f"modified file: {path} was modified" in isolate("check", cwd=app, status=1).out
    isolate("sync", "--verify", cwd=app)
    assert not (app / ".venv" / path).is_symlink()
    assert isolate("check", "--hash", cwd=app).out.startswith("OK")
