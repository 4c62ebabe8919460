"""Mistakes of a user: exit code 2, a message that says what to do next, and no change on disk."""

from __future__ import annotations

import hashlib
import os
import re

import pytest

from conftest import listing, versions
from kit.packages import build_sdist, build_wheel

GROUPS = '[project]\nname = "app"\nversion = "1"\n[dependency-groups]\n'

CASES = {
    "an invalid requirement": ({"requirements.txt": "alpha\n\nbeta=1.0\n"}, ["requirements.txt:3: ", "`beta==1.0`?"]),
    "invalid TOML": ({"pyproject.toml": "[project]\nname = \n"}, ["pyproject.toml:2: not valid TOML"]),
    "a string for a list": (
        {"pyproject.toml": '[project]\ndependencies = "alpha"\n'},
        ["pyproject.toml:2: ", "expected a list of strings, found a string"],
    ),
    "a number in the list": (
        {"pyproject.toml": "[project]\ndependencies = [1]\n"},
        ["expected strings, found a number"],
    ),
    "an invalid requirement in a project": (
        {"pyproject.toml": '[project]\ndependencies = [\n  "alpha",\n  "beta=1.0",\n]\n'},
        ["pyproject.toml:4: ", "`beta==1.0`?"],
    ),
    "a missing include": (
        {"requirements.txt": "alpha\n-r base.txt\n"},
        ["requirements.txt:2: ", "base.txt does not exist"],
    ),
    "an include of itself": (
        {"requirements.txt": "-r base.txt\n", "base.txt": "# so\n-r requirements.txt\n"},
        ["base.txt:2: requirements.txt includes itself: requirements.txt:1 → base.txt:2 → requirements.txt"],
    ),
    "a cycle of groups": (
        {"pyproject.toml": f'{GROUPS}a = [{{include-group="b"}}]\nb = [{{include-group="a"}}]\n'},
        ["a → b → a"],
    ),
    "a missing group": (
        {"pyproject.toml": f'{GROUPS}a = [{{include-group="b"}}]\n'},
        ["dependency-groups.a includes b, which does not exist"],
    ),
    "an unknown option": ({"requirements.txt": "--frobnicate\n"}, ["requirements.txt:1: `--frobnicate`"]),
    "a build option of one requirement": (
        {"requirements.txt": "delta\nalpha==1.0 --config-settings=a=b\n"},
        ["requirements.txt:2: ", "--config-settings is not supported", "build a wheel"],
    ),
    "a short build option of one requirement": (
        {"requirements.txt": "-e . -C a=b\n"},
        ["requirements.txt:1: ", "-C is not supported"],
    ),
    "an invalid hash": (
        {"requirements.txt": "alpha==1.0 --hash=sha256:abc\n"},
        ["requirements.txt:1: ", "64 digits"],
    ),
    "two pins of one package": (
        {"requirements.txt": "alpha==1.0\nbeta\nalpha==2.0\n"},
        ["requirements.txt:1: conflicting requirements for alpha", "requirements.txt:3: alpha==2.0"],
    ),
    "an unknown setting": (
        {"pyproject.toml": "[tool.isolate]\npyhton = '3'\n"},
        ["pyproject.toml:2: ", "unknown key pyhton", "known keys: "],
    ),
    "an invalid range of versions": (
        {"pyproject.toml": '[project]\nrequires-python = "3.11+"\n'},
        ["pyproject.toml:2: project.requires-python: `3.11+` is not a valid version specifier"],
    ),
    "a missing path": ({"requirements.txt": "./lib\n"}, ["requirements.txt:1: ", "does not exist"]),
    "bytes that are not text": ({"requirements.txt": "alpha\udcff\n"}, ["requirements.txt: cannot be decoded"]),
    "an unknown package": (
        {"requirements.txt": "alpha\nno-such-thing==1\n"},
        ["package no-such-thing was not found", "requirements.txt:2"],
    ),
    "a missing version": (
        {"requirements.txt": "alpha==9\n"},
        ["alpha==9 does not exist", "available: 2.0, 1.1, 1.0", "requirements.txt:1"],
    ),
    "a pin that conflicts with a dependency": (
        {"requirements.txt": "alpha==1.0\nbeta==2.0\n"},
        ["conflicting requirements", "alpha==1.0 (requirements.txt:1)", "beta 2.0 depends on alpha>=2"],
    ),
    "a package for another Python": (
        {"requirements.txt": "future==1.0\n"},
        ["requires a different Python", ">=99", "--python"],
    ),
    "a hash that does not match": (
        {"requirements.txt": f"alpha==1.0 --hash=sha256:{'0' * 64}\n"},
        ["hash mismatch", "Expected sha256 000", "Got"],
    ),
    "hashes for some requirements only": (
        {"requirements.txt": f"alpha==1.0 --hash=sha256:{'a1' * 32}\ndelta==1.0\n"},
        ["every requirement needs a hash", "delta"],
    ),
    "a failing build": (
        {"requirements.txt": "broken==1.0\n"},
        ["broken could not be built", "RuntimeError: out of luck"],
    ),
    "no suitable interpreter": (
        {"pyproject.toml": '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=4"\n'},
        ["no Python that satisfies requires-python >=4 was found"],
    ),
    "a version file without an interpreter": (
        {".python-version": "3.99\n", "requirements.txt": ""},
        ["3.99", "not installed"],
    ),
    "a setting without an interpreter": (
        {"pyproject.toml": '[tool.isolate]\npython = "9.9"\n', "requirements.txt": ""},
        ['python = "9.9" in pyproject.toml asks for a Python that is not installed'],
    ),
    "a directory without declarations": ({"notes.md": ""}, ["no declarations in ", "requirements.txt"]),
    "a NUL in a file name": (
        {"pyproject.toml": '[tool.isolate]\nrequirements = ["a\\u0000b"]\n'},
        ["pyproject.toml:2: tool.isolate.requirements: ", "NUL"],
    ),
    "a NUL in a version": (
        {"pyproject.toml": '[tool.isolate]\npython = "3\\u0000"\n', "requirements.txt": ""},
        ["pyproject.toml:2: tool.isolate.python: ", "NUL"],
    ),
    "a NUL in a URL of a project": (
        {"pyproject.toml": '[project]\nname = "app"\ndependencies = [\n"alpha @ file:///a%00b-1.0.whl"]\n'},
        ["pyproject.toml:4: ", "NUL"],
    ),
    "a NUL in the name of an include": (
        {"requirements.txt": "alpha\n-r a\0b\n"},
        ["requirements.txt:2: '-r a\\x00b' contains a NUL"],
    ),
    "a NUL in the name of constraints": ({"requirements.txt": "-c a\0b\n"}, ["requirements.txt:1: "]),
    "a NUL in a URL": (
        {"requirements.txt": "alpha @ file:///a%00b-1.0.whl\n"},
        ["requirements.txt:1: ", "is not a valid URL: it contains a NUL"],
    ),
    "a NUL in a URL without a name": ({"requirements.txt": "-e file:///a%00b\n"}, ["requirements.txt:1: ", "a NUL"]),
    "a NUL in a lock": (
        {
            "pylock.toml": 'lock-version = "1.0"\ncreated-by = "us"\n[[packages]]\nname = "alpha"\n'
            'directory = {path = "a\\u0000b"}\n'
        },
        ["pylock.toml:5: contains a NUL"],
    ),
    "a NUL in a URL of a lock": (
        {
            "pylock.toml": 'lock-version = "1.0"\ncreated-by = "us"\n[[packages]]\nname = "alpha"\n'
            f'archive = {{url = "file:///a%00b-1.0.whl", hashes = {{sha256 = "{"0" * 64}"}}}}\n'
        },
        ["pylock.toml:5: contains a NUL"],
    ),
    "a project file for tools only": (
        {"pyproject.toml": "[tool.black]\nline-length = 100\n"},
        ["no declarations in ", "neither [project] nor", "hint: change to an application's directory"],
    ),
    "an empty project file": ({"pyproject.toml": ""}, ["no declarations in "]),
    "a project file that names applications only": (
        {"pyproject.toml": '[tool.isolate]\napplications = ["a/*"]\n'},
        ["no declarations in "],
    ),
}


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("case", CASES)
def test_invalid_input_is_explained_and_changes_nothing(isolate, application, index, case):
    build_wheel(index.directory, "future", "1.0", requires_python=">=99")
    build_sdist(index.directory, "broken", "1.0", on_build="raise RuntimeError('out of luck')")
    files, expected = CASES[case]
    app = application()
    for name, text in files.items():
        text = text.replace("a1" * 32, sha256(index.directory / "alpha-1.0-py3-none-any.whl"))
        (app / name).write_bytes(text.encode(errors="surrogateescape"))
    before = listing(app)
    message = isolate("sync", cwd=app, status=2).err
    for text in expected:
        assert text in message
    assert len([line for line in message.splitlines() if not line.endswith(" …")]) <= 11
    assert listing(app) == before


def test_a_failed_sync_leaves_the_environment_unchanged(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    before = listing(app)
    application({"requirements.txt": "alpha==9\n"})
    isolate("sync", cwd=app, status=2)
    assert listing(app) == before
    assert isolate("run", "--no-sync", "--", "alpha", cwd=app).out == "alpha 1.0\n"


def make_venv(app):
    (app / ".venv/bin").mkdir(parents=True)
    (app / ".venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    (app / ".venv/lib/python3.11/site-packages/alpha-9.dist-info").mkdir(parents=True)


def make_conda(app):
    (app / ".venv/conda-meta").mkdir(parents=True)
    (app / ".venv/conda-meta/history").write_text("")


def make_uv(app):
    make_venv(app)
    (app / ".venv/pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.13.9\n")


def make_redirect(app):
    (app / "elsewhere").mkdir()
    (app / ".venv").write_text("elsewhere\n")


EXISTING = {
    "an environment of conda": (make_conda, "a conda environment"),
    "an environment of uv": (make_uv, "was not created by isolate (but by uv)"),
    "a file that points elsewhere": (make_redirect, "points to the environment elsewhere"),
    "a directory with files": (
        lambda app: ((app / ".venv").mkdir(), (app / ".venv/data").write_text("mine")),
        "not a virtual environment",
    ),
    "a file": (lambda app: (app / ".venv").write_text("mine"), "is a file"),
    "a link": (lambda app: (app / ".venv").symlink_to(app), "is a symbolic link"),
    "an environment of another tool": (make_venv, "was not created by isolate"),
}


@pytest.mark.parametrize("kind", EXISTING)
def test_a_venv_that_isolate_did_not_create_is_refused_and_kept(isolate, application, index, kind):
    make, expected = EXISTING[kind]
    app = application({"requirements.txt": "alpha==1.0\n"})
    make(app)
    before = listing(app)
    message = isolate("sync", cwd=app, status=2).err
    assert expected in message
    assert "hint: " in message
    assert listing(app) == before


def test_an_empty_directory_and_a_partial_environment_are_completed(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    (app / ".venv").mkdir()
    isolate("sync", cwd=app)
    half = application({"requirements.txt": "alpha==1.0\n"}, name="half")
    (half / ".venv/bin").mkdir(parents=True)
    (half / ".venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    (half / ".venv/notes.txt").write_text("mine")
    isolate("sync", cwd=half)
    assert versions(app / ".venv") == versions(half / ".venv") == {"alpha": "1.0"}
    assert (half / ".venv/notes.txt").read_text() == "mine"


def test_adopting_keeps_files_that_no_distribution_owns(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    make_venv(app)
    (app / ".venv/data").write_text("mine")
    isolate("sync", "--adopt", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}
    assert (app / ".venv/data").read_text() == "mine"


def test_wrong_arguments_are_refused(isolate, application):
    app = application({"requirements.txt": ""})
    for wrong in (["sink"], ["sync", "--frobnicate"], ["sync", "--locked", "--frozen"], ["sync", "no-such-directory"]):
        isolate(*wrong, cwd=app, status=2)


def test_the_help_does_not_truncate_any_command(isolate):
    text = isolate("--help", env={"COLUMNS": "80"}).out
    summaries = dict(line.strip().split(maxsplit=1) for line in text.partition("Commands:\n")[2].splitlines())
    assert len(summaries) == 10
    assert all(text.endswith(".") and not text.endswith("...") for text in summaries.values()), summaries


def test_an_unwritable_directory_is_named(isolate, application, index):
    if os.geteuid() == 0:
        pytest.skip("the superuser may write everywhere")
    app = application({"requirements.txt": "alpha==1.0\n"})
    app.chmod(0o555)
    assert re.search("[Pp]ermission", isolate("sync", cwd=app, status=2).err)
