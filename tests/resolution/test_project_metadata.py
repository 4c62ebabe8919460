"""What only a build backend tells about a project: its dependencies and extras."""

from __future__ import annotations

import json

import pytest

from conftest import versions
from isolate.declarations.declared import ALL_DYNAMIC, Declarations, Project, ProjectMetadata
from isolate.declarations.read import read_declarations
from isolate.errors import NoDeclarations
from isolate.lock.local_sources import is_same_metadata
from isolate.lock.metadata_files import METADATA_FILES, metadata_files
from isolate.resolution.project_metadata import with_metadata
from kit.packages import build_tree, build_wheel

MARKERS = {"python_version": "3.11", "python_full_version": "3.11.7", "sys_platform": "linux"}

SETUPTOOLS = """
import glob, pathlib
class _Backend:
    def get_requires_for_build_wheel(self, config_settings=None): return []
    get_requires_for_build_editable = get_requires_for_build_wheel
    def build_editable(self, directory, config_settings=None, metadata_directory=None):
        wheel = pathlib.Path(glob.glob("editable/*.whl")[0])
        (pathlib.Path(directory) / wheel.name).write_bytes(wheel.read_bytes())
        return wheel.name
__legacy__ = _Backend()
"""


@pytest.fixture
def project(application, index):
    """Return a function that writes a project whose backend alone says what it requires."""

    def write(requires, extras=None, *, setup=False):
        app = build_tree(application(), "mine", "1.0")
        text = (app / "pyproject.toml").read_text().partition("[project]")[0]
        (app / "pyproject.toml").write_text(text)
        if setup:
            (app / "pyproject.toml").unlink()
            (app / "setup.py").write_text("from setuptools import setup\nsetup()\n")
            files = {"setuptools/__init__.py": "", "setuptools/build_meta.py": SETUPTOOLS}
            build_wheel(index.directory, "setuptools", "99.0", files=files)
        state(app, requires, extras)
        return app

    return write


def state(app, requires, extras=None):
    """Let the backend of *app* say that it requires this."""
    pointer = {"__editable__.mine.pth": f"{app}/src\n"}
    build_wheel(app / "editable", "mine", "1.0", requires=requires, extras=extras, files=pointer)


def test_a_build_system_without_a_project_table(isolate, project):
    app = project(["alpha<2"], {"fast": ["delta"], "all": ["mine[fast]"]})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "mine": "1.0"}
    isolate("check", cwd=app)
    isolate("sync", "--extra", "all", "--locked", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "delta": "1.0", "mine": "1.0"}
    assert "extra slow is not declared" in isolate("sync", "--extra", "slow", cwd=app, status=2).err
    state(app, ["alpha<2", "gamma"])
    (app / "on_build.py").touch()
    with open(app / "backend.py", "a", encoding="utf-8") as file:
        file.write("# changed\n")
    codes = {finding["code"] for finding in json.loads(isolate("check", "--json", cwd=app, status=1).out)["findings"]}
    assert codes == {"metadata-unknown"}
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "gamma": "1.0", "mine": "1.0"}


def test_extras_of_a_backend_that_exclude_each_other(isolate, project):
    extras = {"old": ["alpha==1.0"], "new": ["alpha==2.0", "gamma"], "missing": ["does-not-exist"]}
    app = project(["delta"], extras)
    assert "left out of the lock: extra missing" in isolate("sync", cwd=app).out
    assert versions(app / ".venv") == {"delta": "1.0", "mine": "1.0"}
    for extra, more in (("old", {"alpha": "1.0"}), ("new", {"alpha": "2.0", "gamma": "1.0"})):
        isolate("sync", "--locked", "--extra", extra, cwd=app)
        assert versions(app / ".venv") == {"delta": "1.0", "mine": "1.0", **more}
        isolate("check", cwd=app)


def test_a_setup_script_alone(isolate, project):
    app = project(["alpha<2"], setup=True)
    (app / "requirements").mkdir()
    (app / "requirements/base.txt").write_text("alpha<2\n")
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "mine": "1.0"}
    assert "nothing to do" in isolate("sync", cwd=app).out
    (app / "requirements/base.txt").write_text("alpha>=2\n")
    state(app, ["alpha>=2"])
    isolate("check", cwd=app, status=1)
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0", "mine": "1.0"}


def test_the_metadata_of_the_lock_serves_where_the_store_has_none(isolate, project, tmp_path):
    app = project(["alpha"], {"fast": ["delta"]})
    isolate("sync", cwd=app)
    records = [*(tmp_path / "cache").rglob("known/trees/*.json")]
    assert records
    for record in records:
        record.unlink()
    assert "left out" not in isolate("sync", "--dry-run", "--extra", "fast", cwd=app).out
    isolate("check", cwd=app)


def declared(*requires_dist, extras=()):
    declarations = Declarations(root=None, project=Project(file="setup.py", is_package=True, dynamic=ALL_DYNAMIC))
    assert declarations.needs_metadata
    return with_metadata(declarations, ProjectMetadata("mine", requires_dist, extras), MARKERS)


def test_extras_and_markers_become_declarations():
    declarations = declared(
        'a; python_version >= "3"',
        'old; python_version < "3"',
        'b>1; extra == "x" and python_version >= "3"',
        'mine[x]; extra == "all"',
        'mine[y]; extra == "all" and python_version < "3"',
        'c; extra == "y"',
        'd; extra == "all"',
        extras=("x", "y", "all"),
    )
    shown = [(entry.text, entry.extra) for entry in declarations.requirements]
    assert sorted(shown, key=str) == [
        ('a; python_version >= "3"', None),
        ("b>1", "all"),
        ("b>1", "x"),
        ("c", "y"),
        ("d", "all"),
    ]
    assert declarations.extras == ("x", "y", "all")
    assert not declarations.needs_metadata
    assert declarations.project.name == "mine"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"setup.py": "", "setup.cfg": "[flake8]\n"}, "setup.py"),
        ({"pyproject.toml": "[tool.black]\n", "setup.cfg": "[options]\ninstall_requires = a\n"}, "setup.cfg"),
        ({"pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "flit_core.buildapi"\n'}, "pyproject.toml"),
        ({"pyproject.toml": "[build-system]\nrequires = []\n", "setup.py": ""}, "setup.py"),
        ({"pyproject.toml": '[project]\nname = "a"\ndynamic = ["dependencies"]\n'}, "pyproject.toml"),
        ({"pyproject.toml": '[dependency-groups]\ndev = ["b"]\n', "setup.py": ""}, "setup.py"),
    ],
)
def test_a_project_that_only_its_backend_describes(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    declarations = read_declarations(tmp_path, {})
    assert declarations.needs_metadata
    assert declarations.project.file.name == expected


@pytest.mark.parametrize(
    "files",
    [
        {"setup.cfg": "[options]\ninstall_requires = a\n"},
        {"pyproject.toml": "[tool.black]\n", "setup.cfg": "[flake8]\n"},
        {"pyproject.toml": "[build-system]\nrequires = []\n"},
        {"pyproject.toml": "[build-system]\nrequires = []\n", "setup.cfg": "[flake8]\n"},
    ],
)
def test_what_no_backend_can_build_declares_nothing(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(NoDeclarations):
        read_declarations(tmp_path, {})


def test_requirements_files_take_precedence_over_a_setup_script(tmp_path):
    (tmp_path / "setup.py").write_text("")
    (tmp_path / "requirements.txt").write_text("a\n")
    declarations = read_declarations(tmp_path, {})
    assert [entry.text for entry in declarations.requirements] == ["a"]
    assert not declarations.has_dynamic_dependencies


def test_the_files_that_a_setup_script_seems_to_read(tmp_path):
    for name in ("deps/base.in", "requirements/dev.txt", "requirements-test.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "setup.py").write_text('open("deps/base.in"); open("missing.txt"); open("/etc/passwd")\n')
    (tmp_path / "setup.cfg").write_text(
        "[options]\ninstall_requires = file: a.in, b.in\n[metadata]\nversion = attr: p.v\n"
    )
    modules = ["p.py", "p/__init__.py", "src/p.py", "src/p/__init__.py"]
    setup = ["deps/base.in", "requirements.txt", "requirements-test.txt", "requirements/dev.txt"]
    assert metadata_files(str(tmp_path)) == (*METADATA_FILES, "a.in", "b.in", *modules, *setup)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('[build-system]\nbuild-backend = "pbr.build"\n', ("requirements.txt",)),
        ('[build-system]\nbuild-backend = "pdm.backend"\n', ("pdm_build.py",)),
        ("[tool.hatch.metadata.hooks.custom]\n", ("hatch_build.py", "requirements.txt")),
        ('[tool.hatch.metadata.hooks.custom]\npath = "hook.py"\n', ("hook.py",)),
        ('[build-system]\nbuild-backend = "hatchling.build"\n', ()),
    ],
)
def test_the_files_that_a_backend_reads_without_being_told(tmp_path, text, names):
    (tmp_path / "pyproject.toml").write_text(text)
    assert metadata_files(str(tmp_path)) == (*METADATA_FILES, *names)


@pytest.mark.parametrize(
    ("recorded", "current", "same"),
    [("a", "a+b+c", True), ("a+b", "a+b+c", True), ("a+b+c", "a+b+d", False), ("a+b", "a", False), ("a", None, False)],
)
def test_digests_of_earlier_versions_are_compared_as_far_as_they_go(recorded, current, same):
    assert is_same_metadata(recorded, current) is same
