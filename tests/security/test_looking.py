"""Commands that only look run no program that the repository names."""

from __future__ import annotations

import json
import os
import sys

import pytest

from conftest import versions
from isolate.environment.records import STATE
from isolate.interpreters.query import fingerprint_of
from isolate.lock.metadata_files import METADATA_FILES, metadata_files
from isolate.signed_record import content_of
from kit.git import commit, git
from kit.packages import build_tree, build_wheel

pytestmark = pytest.mark.store("warm")

LOOKING = (
    ("list", "--json"),
    ("check",),
    ("status",),
    ("conflicts",),
    ("history",),
    ("lock", "--check"),
    ("sync", "--dry-run"),
)


@pytest.fixture
def trap(tmp_path):
    """Return a function that writes a program which leaves a trace, and one that returns whether any has run."""
    trace = tmp_path / "trace"

    def write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\necho "$0" >> {trace}\nexec {sys.executable} "$@"\n')
        path.chmod(0o755)
        return path

    write.trace = trace
    return write


def look(isolate, app, **more):
    """Run every command that only looks, and return what they print."""
    results = [isolate(*command, cwd=app, status=None, **more) for command in LOOKING]
    assert {result.status for result in results} <= {0, 1, 2}
    return "".join(result.out + result.err for result in results)


@pytest.mark.parametrize("place", ["./evil", "tools", "{app}/evil", "../outside/python3", "{app}/link"])
@pytest.mark.parametrize("where", ["setting", "version file"])
def test_no_interpreter_of_the_repository_runs(isolate, application, trap, tmp_path, place, where):
    app = tmp_path / "app"
    text = place.format(app=app)
    files = {"requirements.txt": ""}
    if where == "setting":
        files["pyproject.toml"] = f'[tool.isolate]\npython = "{text}"\n'
    else:
        files[".python-version"] = f"{text}\n"
    application(files)
    for path in ("app/evil", "app/tools/bin/python3", "outside/python3"):
        trap(tmp_path / path)
    (app / "link").symlink_to("evil")
    shown = look(isolate, app)
    assert not trap.trace.exists()
    assert "is not known yet" in shown
    assert "hint: run `isolate sync`" in shown


def test_an_interpreter_that_a_sync_has_run_is_known(isolate, application, tmp_path):
    app = application({"requirements.txt": "", "pyproject.toml": '[tool.isolate]\npython = "./python"\n'})
    (app / "python").symlink_to(sys.executable)
    isolate("sync", cwd=app)
    assert "not known" not in look(isolate, app)
    isolate("check", cwd=app)


def test_what_the_user_names_runs(isolate, application):
    app = application({"requirements.txt": ""})
    (app / "python").symlink_to(sys.executable)
    isolate("sync", "--dry-run", "--python", "./python", cwd=app)


def test_no_program_of_a_forged_environment_runs(isolate, application, trap):
    app = application({"requirements.txt": ""})
    isolate("sync", cwd=app)
    evil = trap(app / "evil")
    record = app / ".venv" / STATE
    table = json.loads(content_of(record.read_bytes()))
    table["interpreter"] |= {"executable": str(evil), "fingerprint": fingerprint_of(str(evil))}
    record.write_text(json.dumps(table))
    for name in ("python", "python3"):
        trap(app / ".venv/bin" / name)
    (app / ".venv/pyvenv.cfg").write_text(f"home = {app}\nexecutable = {evil}\n")
    (app / ".venv/.isolate/stamp").unlink()
    application({"requirements.txt": "alpha\n"})
    path = os.pathsep.join([str(app / ".venv/bin"), str(app), os.environ["PATH"]])
    look(isolate, app, env={"PATH": path, "PIP_NO_INDEX": "1"})
    table["interpreter"]["fingerprint"] = "different"
    record.write_text(json.dumps(table))
    look(isolate, app, env={"PATH": path, "PIP_NO_INDEX": "1"})
    assert not trap.trace.exists()


@pytest.fixture
def repository(application, trap, tmp_path):
    """Return a git repository with two applications, whose configuration names a trap wherever git runs a program."""
    root = application(
        {"a/requirements.txt": "alpha==1\n", "b/requirements.txt": "alpha==1\n", "c.txt": "c\n"}, name="r"
    )
    (root / ".gitattributes").write_text("* filter=evil diff=evil text\n")
    git(root, "init")
    commit(root)
    evil = trap(tmp_path / "evil")
    hooks = tmp_path / "hooks"
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        trap(hooks / name)
        trap(root / ".git/hooks" / name)
    for key in (
        "core.fsmonitor",
        "core.sshCommand",
        "core.editor",
        "core.pager",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "uploadpack.packObjectsHook",
    ):
        git(root, "config", key, str(evil))
    git(root, "config", "core.hooksPath", str(hooks))
    git(root, "config", "filter.evil.required", "true")
    git(root, "config", "core.untrackedCache", "true")
    return root


def names(result):
    return result.out.split()


def test_no_program_of_a_git_configuration_runs(isolate, repository, trap):
    for path in repository.glob("*/*.txt"):
        os.utime(path, ns=(0, 0))
    assert names(isolate("list", "--all", "--changed-since", "HEAD", cwd=repository)) == []
    (repository / "a/requirements.txt").write_text("alpha==2\n")
    (repository / "b/new").write_text("")
    assert names(isolate("list", "--all", "--changed-since", "HEAD", cwd=repository)) == ["a", "b"]
    isolate("list", "--all", cwd=repository)
    isolate("conflicts", cwd=repository)
    assert not trap.trace.exists()


def test_a_partial_clone_fetches_nothing(isolate, repository, trap, tmp_path):
    objects = repository / ".git/objects"
    for key, value in {
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
        "remote.origin.promisor": "true",
        "remote.origin.url": "ssh://127.0.0.1/x",
    }.items():
        git(repository, "config", key, value)
    for path in [path for path in objects.glob("??/*") if path.is_file()]:
        path.unlink()
    isolate("list", "--all", "--changed-since", "HEAD", cwd=repository, status=2)
    git(repository, "config", "remote.origin.url", f"ext::{tmp_path / 'evil'} x")
    git(repository, "config", "protocol.ext.allow", "always")
    isolate("list", "--all", "--changed-since", "HEAD", cwd=repository, status=2)
    assert not trap.trace.exists()


def test_a_working_tree_elsewhere_is_refused(isolate, repository):
    git(repository, "config", "core.worktree", "/")
    message = isolate("list", "--all", "--changed-since", "HEAD", cwd=repository, status=2).err
    assert "another working tree" in message


BACKEND = """
import pathlib
pathlib.Path({trace!r}).write_text("ran")
from flit_core.buildapi import *
"""
DYNAMIC = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
NEEDING_A_BUILD = {
    "a tree": {"requirements.txt": "./lib\n"},
    "an editable tree": {"requirements.txt": "-e ./lib\n"},
    "a tree with a name": {
        "pyproject.toml": '[project]\nname = "a"\nversion = "1"\ndependencies = ["lib @ file://{lib}"]\n'
    },
    "dynamic dependencies": {
        "pyproject.toml": f'{DYNAMIC}[project]\nname = "a"\nversion = "1"\ndynamic = ["dependencies"]\n'
    },
    "a setup script": {"setup.py": "{backend}"},
    "no project table": {"pyproject.toml": DYNAMIC},
    "Poetry": {"pyproject.toml": '[tool.poetry.dependencies]\na = "^1"\n'},
    "a git repository": {"requirements.txt": "lib @ git+file://{lib}\n"},
    "a source distribution": {"requirements.txt": "--no-binary :all:\nsdist\n"},
}


@pytest.mark.parametrize("case", NEEDING_A_BUILD)
def test_no_build_backend_runs(isolate, application, trap, tmp_path, index, case):
    lib = tmp_path / "app/lib"
    backend = BACKEND.format(trace=str(trap.trace))
    texts = {name: text.replace("{lib}", str(lib)) for name, text in NEEDING_A_BUILD[case].items()}
    files = {name: text.replace("{backend}", backend) for name, text in texts.items()}
    app = application({**files, "backend.py": backend, "lib/backend.py": backend, "lib/setup.py": backend})
    (lib / "pyproject.toml").write_text(f'{DYNAMIC}[project]\nname = "lib"\nversion = "1"\n')
    git(lib, "init")
    commit(lib)
    build_wheel(index.directory, "sdist", "1.0")
    shown = look(isolate, app)
    assert not trap.trace.exists()
    assert "left out: " in shown or case == "a source distribution"


def test_recorded_metadata_is_used_until_its_files_change(isolate, application, index, tmp_path):
    lib = build_tree(tmp_path / "app/lib", "lib", "1.0", requires=["alpha<2"])
    app = application({"requirements.txt": "-e ./lib\n"})
    shown = isolate("sync", "--dry-run", cwd=app).out
    assert "left out: -e ./lib (requirements.txt:1)" in shown
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "lib": "1.0"}
    isolate("check", cwd=app)
    application({"requirements.txt": "-e ./lib\ndelta\n"})
    shown = isolate("sync", "--dry-run", cwd=app).out
    assert "left out" not in shown
    assert "+ delta 1.0" in shown
    assert "alpha" not in shown
    application({"requirements.txt": "-e ./lib\n"})
    with open(lib / "pyproject.toml", "a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    result = json.loads(isolate("check", "--json", cwd=app, status=1).out)
    assert [finding["code"] for finding in result["findings"]] == ["metadata-unknown"]
    outcome = json.loads(isolate("sync", "--dry-run", "--json", cwd=app).out)
    assert outcome["left_out"] == ["-e ./lib (requirements.txt:1)"]
    assert outcome["changes"] == []
    assert "lib" in isolate("lock", "--check", cwd=app, status=1).out
    isolate("sync", cwd=app)
    isolate("check", cwd=app)


FILES = """
[project]
name = "a"
version = "1"
readme = { file = "README.md" }
license = { file = "LICENSE" }
[tool.setuptools.dynamic]
dependencies = { file = ["requirements.in", "../outside", "/etc/passwd"] }
version = { attr = "pkg.__version__" }
[tool.hatch.version]
path = "src/about.py"
[tool.isolate]
metadata-files = ["VERSION"]
"""


def test_the_files_of_the_metadata_are_those_that_the_project_names(tmp_path):
    (tmp_path / "pyproject.toml").write_text(FILES)
    named = [
        "README.md",
        "LICENSE",
        "requirements.in",
        "pkg.py",
        "pkg/__init__.py",
        "src/pkg.py",
        "src/pkg/__init__.py",
    ]
    assert metadata_files(str(tmp_path)) == (*METADATA_FILES, *named, "src/about.py", "VERSION")
    (tmp_path / "pyproject.toml").write_text("[tool]\nsetuptools = 1\nisolate = { metadata-files = 3 }\n")
    assert metadata_files(str(tmp_path)) == METADATA_FILES


def test_a_change_of_a_named_file_is_noticed(isolate, application, index, tmp_path):
    lib = build_tree(tmp_path / "app/lib", "lib", "1.0")
    with open(lib / "pyproject.toml", "a", encoding="utf-8") as file:
        file.write('\n[tool.isolate]\nmetadata-files = ["VERSION"]\n')
    app = application({"requirements.txt": "-e ./lib\n"})
    isolate("sync", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out
    (lib / "VERSION").write_text("2\n")
    assert "metadata unknown" in isolate("check", cwd=app, status=1).out
    isolate("sync", cwd=app)
    isolate("check", cwd=app)


@pytest.mark.parametrize("path", ["/", "..", "../..", "/usr"])
def test_a_lock_does_not_make_a_command_walk_the_file_system(isolate, application, path):
    package = f'[[packages]]\nname = "a"\nversion = "1"\n[packages.directory]\npath = "{path}"\n'
    app = application({"pylock.toml": f'lock-version = "1.0"\ncreated-by = "x"\n{package}'})
    isolate("check", cwd=app, status=None)


@pytest.mark.parametrize(
    "pattern", ["../*", "../../**", "../app2", "a/../../*", "link/*", "link/../*", "**/**/../../*"]
)
def test_no_pattern_reaches_beyond_the_repository(isolate, application, tmp_path, pattern):
    application({"requirements.txt": ""}, name="app2")
    root = application({"a/x": "", "pyproject.toml": f'[tool.isolate]\napplications = ["{pattern}"]\n'})
    (root / "link").symlink_to(tmp_path / "app2")
    result = isolate("list", "--all", cwd=root, status=2)
    assert "app2" not in result.out
