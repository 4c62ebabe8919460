"""Declarations and locks of absurd length or depth get an answer or a clear refusal, soon."""

from __future__ import annotations

import os
import time

import pytest

from isolate.declarations.read import read_declarations
from isolate.errors import IsolateError
from isolate.lock.pylock_file import read_lock

SECONDS = 2.0
"""CPU seconds within which an answer must come."""

DIGITS = "1" * 6000
LOCK = 'lock-version = "1.0"\ncreated-by = "x"\n'
PACKAGE = '[[packages]]\nname = "alpha"\n'
LONG_MARKER = " or ".join(["python_version > '3'"] * 5000)
DEEP_MARKER = "(" * 2000 + "python_version > '3'" + ")" * 2000


def groups(count, text):
    """Return a pyproject.toml with *count* groups, each of which is *text* with the number of the next group."""
    lines = [f"g{number} = {text.format(number + 1)}\n" for number in range(count)]
    return f'[dependency-groups]\n{"".join(lines)}g{count} = ["alpha"]\n'


def extras(count, text):
    lines = [f"e{number} = {text.format(number + 1)}\n" for number in range(count)]
    return f'[project]\nname = "app"\n[project.optional-dependencies]\n{"".join(lines)}e{count} = ["alpha"]\n'


def includes(count):
    files = {f"{number}.txt": f"-r {number + 1}.txt\n" for number in range(count)}
    return {"requirements.txt": "-r 0.txt\n", **files, f"{count}.txt": "alpha\n"}


INCLUDE = '{{ include-group = "g{0}" }}'
PROJECT = '[project]\nname = "app"\n'
EXCESSES = {
    "blanks in a comment line": {"requirements.txt": "alpha" + " " * 150_000 + "x # y\n"},
    "blanks before nothing": {"requirements.txt": "alpha" + " " * 150_000 + "\n"},
    "blanks before an option": {"requirements.txt": "--pre" + " " * 150_000 + "--pre x\n"},
    "blanks after a name": {"requirements.txt": "alpha" + " " * 150_000 + "@" + " " * 150_000 + "\n"},
    "chained groups": {"pyproject.toml": groups(900, f'["alpha", {INCLUDE}]')},
    "groups that double": {"pyproject.toml": groups(60, f"[{INCLUDE}, {INCLUDE}]")},
    "chained extras": {"pyproject.toml": extras(900, '["alpha", "app[e{0}]"]')},
    "extras that double": {"pyproject.toml": extras(60, '["app[e{0}]", "app[e{0}]"]')},
    "nested includes": {f"{n or 'requirements'}.txt": f"-r {n + 1}.txt\n" for n in range(1500)}
    | {"1500.txt": "alpha\n"},
    "a table nested deep": {"pyproject.toml": f"{PROJECT}[{'.'.join(['a'] * 5000)}]\n"},
    "a list nested deep": {"pyproject.toml": f"{PROJECT}[tool.x]\ny = {'[' * 5000}{']' * 5000}\n"},
    "a long integer": {"pyproject.toml": f"{PROJECT}[tool.x]\ny = {DIGITS}\n"},
    "a long version": {"requirements.txt": f"alpha=={DIGITS}\nalpha==1\n"},
    "a long version of a project": {"pyproject.toml": f'{PROJECT}dependencies = ["alpha=={DIGITS}", "alpha==1"]\n'},
    "a long requires-python": {"pyproject.toml": f'{PROJECT}requires-python = ">={DIGITS}"\n'},
    "a long marker": {"requirements.txt": f"alpha; {LONG_MARKER}\n"},
    "a deep marker": {"requirements.txt": f"alpha; {DEEP_MARKER}\n"},
    "a deep marker of a project": {"pyproject.toml": f'{PROJECT}dependencies = ["alpha; {DEEP_MARKER}"]\n'},
    "many extras": {
        "pyproject.toml": f"{PROJECT}[project.optional-dependencies]\n"
        + "".join(f"e{n} = []\n" for n in range(100_000))
    },
    "many groups": {"pyproject.toml": "[dependency-groups]\n" + "".join(f'g{n} = ["a"]\n' for n in range(50_000))},
    "extras that are all the same": {
        "pyproject.toml": f'{PROJECT}dependencies = ["app[{",".join(f"e{n}" for n in range(2000))}]"]\n'
    },
    "many specifiers": {"requirements.txt": "alpha" + ",".join(f"!={n}" for n in range(100_000)) + "\n"},
    "many specifiers of a project": {
        "pyproject.toml": f'{PROJECT}dependencies = ["alpha{",".join(f"!={n}" for n in range(100_000))}"]\n'
    },
    "a long line": {"requirements.txt": "a" * 1_000_000 + "\n"},
    "a long line without an end": {"requirements.txt": "alpha \\\n" * 100_000},
    "a long version of letters": {"requirements.txt": f"alpha=={'1.' * 4000}x\n"},
    "a version that backtracks": {"requirements.txt": f"alpha=={'0' * 900}.{'a1-' * 900}!\n"},
    "many requirements": {"requirements.txt": "alpha\n" * 100_000},
    "many pins of one name": {"requirements.txt": "".join(f"alpha>={n}\n" for n in range(10_000)) + "alpha==99999\n"},
    "many comments": {"requirements.txt": "#\n" * 1_000_000},
    "many hashes": {"requirements.txt": "alpha==1" + f" --hash=sha256:{'a' * 64}" * 20_000 + "\n"},
    "many options": {"requirements.txt": "--find-links x\n" * 20_000},
    "quotes that do not end": {"requirements.txt": "--find-links " + "'" * 9001 + "\n"},
    "a list in an inline table": {"pyproject.toml": f"{PROJECT}[tool.x]\ny = {'{a=[' * 3000}{']}' * 3000}\n"},
    "dotted keys": {"pyproject.toml": PROJECT + "".join(f"[tool.{'.'.join('x' * 90)}.k{n}]\n" for n in range(5000))},
    "many variables in many lines": {"requirements.txt": ("${A}" * 60 + "\n") * 2000},
    "many variables": {"requirements.txt": "--find-links " + "${A}" * 40 + "b\n"},
}

LOCKS = {
    "a table nested deep": f"{LOCK}[tool.{'.'.join(['a'] * 5000)}]\n",
    "a list nested deep": f"{LOCK}[tool.x]\ny = {'[' * 5000}{']' * 5000}\n",
    "a long integer": f"{LOCK}[tool.x]\ny = {DIGITS}\n",
    "a long version": f'{LOCK}{PACKAGE}version = "{DIGITS}"\n',
    "a deep marker": f'{LOCK}{PACKAGE}version = "1"\nmarker = "{DEEP_MARKER}"\n',
    "a list in an inline table": f"{LOCK}[tool.x]\ny = {'{a=[' * 3000}{']}' * 3000}\n",
}


@pytest.mark.parametrize("name", EXCESSES)
def test_excessive_declarations_are_answered_or_refused_soon(application, name):
    app = application(EXCESSES[name])
    started = time.process_time()
    try:
        read_declarations(app, {**os.environ, "A": "a" * 100})
    except IsolateError as error:
        assert len(str(error)) < 2000
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("name", LOCKS)
def test_an_excessive_lock_is_refused_soon(application, name):
    app = application({"pylock.toml": LOCKS[name]})
    started = time.process_time()
    with pytest.raises(IsolateError):
        read_lock(app / "pylock.toml")
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("version", [DIGITS, f"3.{DIGITS}", f">=3.{DIGITS}", f"cpython-3.{DIGITS}"])
def test_a_long_version_in_a_version_file_is_refused(isolate, application, version):
    app = application({"requirements.txt": "", ".python-version": version})
    assert "invalid Python request" in isolate("check", cwd=app, status=2).err


def test_commands_refuse(isolate, application):
    for files in (EXCESSES["nested includes"], EXCESSES["a deep marker"], {"pylock.toml": LOCKS["a long version"]}):
        assert "hint: " in isolate("check", cwd=application(files), status=2).err


def test_a_chain_of_extras_and_groups_is_read_to_its_end(application):
    app = application({"pyproject.toml": extras(50, '["beta", "app[e{0}]"]') + groups(50, f'["beta", {INCLUDE}]')})
    declarations = read_declarations(app)
    for extra in ("e0", "e50"):
        assert "alpha" in [declared.text for declared in declarations.requirements if declared.extra == extra]
    for group in ("g0", "g50"):
        assert "alpha" in [declared.text for declared in declarations.requirements if declared.group == group]
