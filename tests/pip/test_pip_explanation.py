"""Whatever pip fails of is said in a few lines. What pip says comes from pips that really fail, old and new."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from pips import PIPS

from isolate import process
from isolate.declarations.declared import DeclaredRequirement, Origin
from isolate.pip.command import install_arguments, resolve_argv
from isolate.pip.explanation import explain
from isolate.pip.redaction import redact
from isolate.pip.settings import pip_environment
from kit.index import LocalIndex
from kit.packages import build_sdist, build_tree, build_wheel

ZEROS = "0" * 64


@dataclass(frozen=True)
class Case:
    """Declarations (`LINKS`, `INDEX`, `SHA` stand for what a test knows), and words that must be in the message.

    Distributions come from a directory, or from an index if there is a `fault` (pattern, how) or it is `served`.
    """

    wanted: str
    said: tuple[str, ...]
    fault: tuple[str, str] | None = None
    served: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    credentials: str | None = None


CASES = {
    "no such version": Case(
        "alpha==9.9\n",
        ("alpha==9.9 does not exist", "these do: 3.0, 2.0, 1.10, 1.2", "alpha==9.9 (requirements.txt:1)"),
    ),
    "no version in the range": Case("# so\nalpha>5, <6\n", ("does not exist", "alpha>5, <6 (requirements.txt:2)")),
    "many versions": Case("many==1.7\n", ("these do: 2.9, 2.8", "…", "next to it: 1.5, 1.6, 1.8, 1.9")),
    "no such name": Case("alhpa==1.0\n", ("no package alhpa is to be found", "requirements.txt:1", "spelling")),
    "no such name further down": Case(
        "parent\n", ("no package ghost is to be found", "needed by parent (requirements.txt:1)")
    ),
    "two pins that contradict each other": Case(
        "Alpha == 1.0\nbeta\nalpha==2.0 ; python_version>'3'\n",
        ("contradict each other", "Alpha==1.0 (requirements.txt:1)", "requirements.txt:3)"),
    ),
    "a pin against what another needs": Case(
        "alpha==2.0\nbeta==1.0\n",
        ("contradict", "alpha==2.0 (requirements.txt:1)", "beta 1.0 depends on alpha<2 (requirements.txt:2)"),
    ),
    "two that need different things": Case(
        "beta\ndelta\n", ("contradict", "beta 1.0 depends on alpha<2", "delta 1.0 depends on alpha>=2")
    ),
    "another Python": Case(
        "newer==1.0\n", ("newer needs another Python", ">=3.99", "the application has Python 3.", "--python")
    ),
    "another Python, whichever version": Case(
        "newer\n", ("newer needs another Python", "newer 1.0 needs Python >=3.99", "newer 0.9 needs Python >=3.98")
    ),
    "another Python, further down": Case("parent-of-newer\n", ("newer needs another Python", ">=3.99")),
    "a tree for another Python": Case("TREES/newtree\n", ("newtree needs another Python", ">=3.99")),
    "a hash that differs": Case(
        f"alpha==1.0 --hash=sha256:{ZEROS}\n",
        ("its hash differs", f"Expected sha256 {ZEROS}", "Got SHA", "alpha==1.0 (requirements.txt:1)"),
    ),
    "a hash that is missing": Case(
        "alpha==1.0 --hash=sha256:SHA\nbeta==1.0\n",
        ("all of them need one", "beta==1.0 --hash=sha256:", "(requirements.txt:2)"),
    ),
    "a pin that is missing among hashes": Case(
        "beta==1.0 --hash=sha256:BETA\n", ("all of them need one", "pinned with ==", "alpha<2")
    ),
    "a build that fails": Case(
        "broken\n", ("broken could not be built", "RuntimeError: out of luck", "broken (requirements.txt:1)")
    ),
    "a compiler that is missing": Case(
        "native\n", ("native could not be built", "fatal error: Python.h: No such file", "install the compiler")
    ),
    "a tree that cannot be built": Case("TREES/lib\n", ("lib could not be built", "ValueError: out of luck")),
    "an editable tree that cannot be built": Case(
        "-e TREES/lib\n", ("lib could not be built", "ValueError: out of luck")
    ),
    "a backend that is missing": Case("TREES/headless\n", ("headless could not be built", "nobackend")),
    "what a build needs is missing": Case(
        "TREES/needy\n", ("needy could not be built", "No matching distribution found for builder>=1")
    ),
    "a wheel that is no zip": Case("spoilt==1.0\n", ("pip cannot use what it was given", "spoilt", "is invalid")),
    "a wheel that is something else": Case(
        "gamma @ file://LINKS/alpha-1.0-py3-none-any.whl\n", ("pip cannot use what it was given", "invalid wheel")
    ),
    "a wheel for another platform": Case("LINKS/foreign-1.0-cp27-cp27m-win32.whl\n", ("not a supported wheel",)),
    "a file that is missing": Case("LINKS/alpha-7.0-py3-none-any.whl\n", ("cannot use", "No such file or directory")),
    "a program that is missing": Case(
        "x @ git+https://nowhere.invalid/x.git\n", ("git is needed, and not on PATH",), environ={"PATH": "/nowhere"}
    ),
    "a repository that is missing": Case(
        "git+file:///nowhere/x.git\n",
        ("a repository could not be fetched", "'/nowhere/x.git' does not appear to be a git repository"),
    ),
    "an index that is down": Case(
        "alpha\n",
        ("the package index cannot be reached", "Connection refused", "http://****@127.0.0.1"),
        environ={
            "PIP_INDEX_URL": "http://user:secret@127.0.0.1:DEAD/simple",
            "PIP_FIND_LINKS": "",
            "PIP_NO_INDEX": "0",
            "PIP_RETRIES": "1",
        },
    ),
    "an index that is down, asked but once": Case(
        "alpha\n",
        ("no package alpha is to be found", "http://127.0.0.1:DEAD/simple", "out of reach"),
        environ={"PIP_INDEX_URL": "http://127.0.0.1:DEAD/simple", "PIP_FIND_LINKS": "", "PIP_NO_INDEX": "0"},
    ),
    "an index that is silent": Case(
        "alpha\n",
        ("the package index does not answer", "INDEX"),
        fault=("/simple/", "hang"),
        environ={"PIP_TIMEOUT": "0.5", "PIP_RETRIES": "1"},
    ),
    "a file that does not come": Case(
        "alpha==1.0\n",
        ("the package index does not answer", "INDEX"),
        fault=("/files/", "hang"),
        environ={"PIP_TIMEOUT": "0.5"},
    ),
    "a file that the index cannot give": Case(
        "alpha==1.0\n", ("the package index answers with an error", "500", "INDEX"), fault=("/files/", "500")
    ),
    "a file that is another": Case(
        "alpha==1.0\n", ("its hash differs", "Expected sha256 SHA", "INDEX"), fault=("/files/", "wrong")
    ),
    "an address that leads nowhere": Case(
        "alpha @ INDEX/files/alpha-7.0-py3-none-any.whl\n", ("what is to be fetched is not there", "404"), served=True
    ),
    "credentials that are refused": Case(
        "alpha @ INDEX/files/alpha-1.0-py3-none-any.whl\n",
        ("refuses the credentials", "401", "keyring-provider"),
        served=True,
        credentials="some:body",
    ),
    "an index without a certificate": Case(
        "alpha\n",
        ("no trusted connection to the package index", "SSL"),
        served=True,
        environ={"PIP_INDEX_URL": "TLS/simple/"},
    ),
    "an index that knows other Pythons": Case(
        "mixed==2.0\n",
        ("mixed==2.0 needs another Python", ">=3.99", "mixed==2.0 (requirements.txt:1)"),
        served=True,
    ),
}
NOT_BY_OLD_PIPS = {
    "a file that does not come",  # before 25.1 there is no word of its own for that
    "an index that knows other Pythons",
    "no such name further down",
}
NEEDS_GIT = {"a repository that is missing"}


@pytest.fixture(scope="module")
def links(tmp_path_factory):
    """Return a directory full of trouble; source trees lie beside it."""
    folder = tmp_path_factory.mktemp("trouble") / "links"
    for version in ("1.0", "1.2", "1.10", "2.0", "3.0"):
        build_wheel(folder, "alpha", version)
    for minor in range(20):
        build_wheel(folder, "many", f"{1 + minor // 10}.{minor % 10}")
    (folder / "many-1.7-py3-none-any.whl").unlink()
    build_wheel(folder, "beta", "1.0", requires=["alpha<2"])
    build_wheel(folder, "delta", "1.0", requires=["alpha>=2"])
    build_wheel(folder, "newer", "1.0", requires_python=">=3.99")
    build_wheel(folder, "newer", "0.9", requires_python=">=3.98")
    build_wheel(folder, "mixed", "1.0")
    build_wheel(folder, "mixed", "2.0", requires_python=">=3.99")
    build_wheel(folder, "parent", "1.0", requires=["ghost>=1"])
    build_wheel(folder, "parent-of-newer", "1.0", requires=["newer"])
    build_wheel(folder, "foreign", "1.0", tag="cp27-cp27m-win32")
    (folder / "spoilt-1.0-py3-none-any.whl").write_bytes(b"nothing")
    build_sdist(folder, "broken", "1.0", on_build="raise RuntimeError('out of luck')")
    missing = "gcc: fatal error: Python.h: No such file or directory"
    build_sdist(folder, "native", "1.0", on_build=f"import sys; sys.exit({missing!r})")
    build_tree(folder.parent / "lib", "lib", "1.0", on_build="raise ValueError('out of luck')")
    build_wheel(
        build_tree(folder.parent / "newtree", "newtree", "1.0") / "prebuilt", "newtree", "1.0", requires_python=">=3.99"
    )
    for name, backend in (("headless", "requires=[]\nbuild-backend='nobackend'"), ("needy", "requires=['builder>=1']")):
        (folder.parent / name).mkdir()
        project = f"[build-system]\n{backend}\n[project]\nname='{name}'\nversion='1'\n"
        (folder.parent / name / "pyproject.toml").write_text(project)
    return folder


@pytest.fixture
def dead_port():
    """Return the number of a port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def failed(python, root, environ, argv=None):
    """Let pip resolve what *root* declares, and return what its failure is explained as."""
    argv = argv or resolve_argv(
        Path(python), requirements=[root / "requirements.txt"], constraints=[], report=root / "report.json"
    )
    settings = {"HOME": str(root), "PATH": os.environ["PATH"], "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1", **environ}
    done = process.run(argv, env=pip_environment(settings, prefix=root), cwd=root)
    assert done.status, "pip has not failed at all"
    output = redact(done.output + done.errors)
    return explain(output, declared=list(declared_in(root / "requirements.txt")))


def installing(requirements, prefix):
    """Return the command that has a pip install."""
    arguments = install_arguments(requirements=requirements, prefix=prefix)
    return (sys.executable, "-I", "-m", "pip", *arguments)


def declared_in(file):
    """Yield what *file* declares, without asking whether that makes sense."""
    for number, line in enumerate(file.read_text().splitlines(), 1):
        text = line.partition(" --hash")[0]
        with contextlib.suppress(InvalidRequirement):
            yield DeclaredRequirement(text=text, origin=Origin(file=file, line=number), requirement=Requirement(text))


@pytest.mark.parametrize("python", PIPS)
@pytest.mark.parametrize("name", CASES)
def test_a_failure_is_explained(python, name, tmp_path, links, dead_port):
    if name in NEEDS_GIT and shutil.which("git") is None:
        pytest.skip("there is no git here")
    if name in NOT_BY_OLD_PIPS and python != sys.executable:
        pytest.skip("older pips say less")
    case = CASES[name]
    index = LocalIndex(links, credentials=case.credentials)
    address = index.url.removesuffix("/simple/")
    words = {"LINKS": str(links), "TREES": str(links.parent), "SHA": sha256(links / "alpha-1.0-py3-none-any.whl")}
    words |= {"BETA": sha256(links / "beta-1.0-py3-none-any.whl"), "INDEX": address, "DEAD": str(dead_port)}
    words["TLS"] = address.replace("http:", "https:")

    def filled(text):
        return re.sub("|".join(words), lambda found: words[found[0]], text)

    (tmp_path / "requirements.txt").write_text(filled(case.wanted))
    environ = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links)}
    if case.served or case.fault:
        environ = {"PIP_INDEX_URL": index.url}
        index.misbehave(*(case.fault or ("nothing", "500")))
    with index.serving():
        error_outcome = failed(python, tmp_path, environ | {key: filled(text) for key, text in case.environ.items()})
    message = str(error_outcome)
    for said in case.said:
        assert filled(said) in message
    assert len(message.splitlines()) <= 10
    assert error_outcome.hint
    assert "secret" not in error_outcome.output
    assert error_outcome.output.strip()


def test_a_lock_that_another_artifact_came_for_is_explained(tmp_path, links):
    wheel = links / "alpha-1.0-py3-none-any.whl"
    package = f'name = "alpha"\nversion = "1.0"\nwheels = [{{path = "{wheel}", hashes = {{sha256 = "{ZEROS}"}}}}]\n'
    lock = tmp_path / "pylock.toml"
    lock.write_text(f'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\n{package}')
    (tmp_path / "requirements.txt").write_text("alpha\n")
    argv = installing(lock, tmp_path / "prefix")
    message = str(failed(sys.executable, tmp_path, {}, argv))
    assert "its hash differs" in message
    assert f"Expected sha256 {ZEROS}" in message


def test_a_directory_that_may_not_be_written_is_named(tmp_path, links):
    if os.getuid() == 0:
        pytest.skip("nothing is forbidden to root")
    (tmp_path / "prefix").mkdir(mode=0o500)
    (tmp_path / "requirements.txt").write_text("alpha==1.0\n")
    argv = installing(tmp_path / "requirements.txt", tmp_path / "prefix")
    error_outcome = failed(sys.executable, tmp_path, {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links)}, argv)
    assert "permission denied" in error_outcome.problem
    assert str(tmp_path / "prefix") in error_outcome.problem


def test_a_program_that_comes_to_nothing_else_is_quoted(tmp_path):
    (tmp_path / "requirements.txt").write_text("")
    argv = (sys.executable, "-I", "-m", "pip", "install", "--no-such-option")
    error_outcome = failed(sys.executable, tmp_path, {}, argv)
    assert error_outcome.problem == "pip failed"
    assert "no such option: --no-such-option" in str(error_outcome)


WORDS = {
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device": "the disk is full",
    "ERROR: Could not install packages due to an OSError: [Errno 122] Disk quota exceeded": "the disk is full",
    "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/usr/x'\n"
    "Check the permissions.": "permission denied: pip may not use /usr/x",
    "error: resolution-too-deep\n\nDependency resolution exceeded maximum depth": "gave up looking",
    "ERROR: HTTP error 403 while getting https://host/a.whl": "refuses the credentials",
    "ERROR: Exception:\nTraceback (most recent call last):\n  File x\n    ^^^^\nKeyError: 'x'": "KeyError: 'x'",
    "": "pip failed",
}


@pytest.mark.parametrize("output", WORDS)
def test_what_is_hard_to_bring_about_is_explained_by_the_words_for_it(output):
    error_outcome = explain(output, declared=())
    assert WORDS[output] in str(error_outcome)
    assert "^^^^" not in str(error_outcome)
    assert error_outcome.hint


def test_what_went_well_in_the_end_is_not_blamed():
    retried = "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(...)': /simple/alpha/"
    missing = "ERROR: Could not find a version that satisfies the requirement alpha==9 (from versions: 1.0)"
    assert explain(f"{retried}\n{missing}\n", declared=()).problem == "alpha==9 does not exist"


def test_a_long_line_is_cut():
    message = str(explain(f"ERROR: {'x' * 10_000}", declared=()))
    assert len(message) < 500
    assert "…" in message


PIECES = st.sampled_from(
    [line for text in WORDS for line in text.splitlines()] + [case.said[0] for case in CASES.values()]
)


@given(st.lists(PIECES | st.text(st.characters(exclude_categories=["Z", "C"]))))
def test_whatever_pip_says_is_explained_in_ten_lines(lines):
    error_outcome = explain("\n".join(lines), declared=())
    assert len(str(error_outcome).splitlines()) <= 10
    assert error_outcome.hint
    assert error_outcome.output == "\n".join(lines)
