"""A failure of pip is explained in a few lines. The output comes from the pips that isolate runs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from pips import PIPS, python_with_pip

from isolate import process
from isolate.declarations.declared import DeclaredRequirement, Origin
from isolate.pip.command import install_arguments, resolve_arguments
from isolate.pip.explanation import explain
from isolate.pip.settings import pip_environment
from isolate.redaction import redact
from kit.git import commit, git
from kit.index import LocalIndex
from kit.packages import build_sdist, build_tree, build_wheel

ZEROS = "0" * 64


@dataclass(frozen=True)
class Case:
    """Requirements that make pip fail, and texts that the message about it must contain.

    Both may have placeholders: see `placeholders`. Distributions come from a directory of wheels. If `served`, or with
    a `fault` (pattern, how), they come from an index.
    """

    requirements: str
    expected: tuple[str, ...]
    fault: tuple[str, str] | None = None
    served: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    credentials: str | None = None


CASES = {
    "an unknown version": Case(
        "alpha==9.9\n",
        ("alpha==9.9 does not exist", "available: 3.0, 2.0, 1.10, 1.2", "alpha==9.9 (requirements.txt:1)"),
    ),
    "an empty range": Case("# comment\nalpha>5, <6\n", ("does not exist", "alpha>5, <6 (requirements.txt:2)")),
    "an unknown version among many": Case("many==1.7\n", ("available: 2.9, 2.8", "…", "closest: 1.5, 1.6, 1.8, 1.9")),
    "an unknown name": Case("alhpa==1.0\n", ("package alhpa was not found", "requirements.txt:1", "spelling")),
    "an unknown name of a dependency": Case(
        "parent\n", ("package ghost was not found", "needed by parent (requirements.txt:1)")
    ),
    "two pins that conflict": Case(
        "Alpha == 1.0\nbeta\nalpha==2.0 ; python_version>'3'\n",
        ("conflicting requirements", "Alpha==1.0 (requirements.txt:1)", "requirements.txt:3)"),
    ),
    "a pin that conflicts with a dependency": Case(
        "alpha==2.0\nbeta==1.0\n",
        (
            "conflicting requirements",
            "alpha==2.0 (requirements.txt:1)",
            "beta 1.0 depends on alpha<2 (requirements.txt:2)",
        ),
    ),
    "two dependencies that conflict": Case(
        "beta\ndelta\n", ("conflicting requirements", "beta 1.0 depends on alpha<2", "delta 1.0 depends on alpha>=2")
    ),
    "a version for a different Python": Case(
        "newer==1.0\n",
        ("newer requires a different Python", ">=3.99", "the application uses Python 3.", "--python"),
    ),
    "all versions for a different Python": Case(
        "newer\n",
        (
            "newer requires a different Python",
            "newer 1.0 requires Python >=3.99",
            "newer 0.9 requires Python >=3.98",
        ),
    ),
    "a dependency for a different Python": Case(
        "parent-of-newer\n",
        ("newer requires a different Python", ">=3.99", "needed by parent-of-newer (requirements.txt:1)"),
    ),
    "a source tree for a different Python": Case(
        "{trees}/newtree\n", ("newtree requires a different Python", ">=3.99")
    ),
    "an index with versions for different Pythons": Case(
        "mixed==2.0\n",
        ("mixed==2.0 requires a different Python", ">=3.99", "mixed==2.0 (requirements.txt:1)"),
        served=True,
    ),
    "a hash that differs": Case(
        f"alpha==1.0 --hash=sha256:{ZEROS}\n",
        ("hash mismatch", f"Expected sha256 {ZEROS}", "Got {alpha_sha256}", "alpha==1.0 (requirements.txt:1)"),
    ),
    "a missing hash": Case(
        "alpha==1.0 --hash=sha256:{alpha_sha256}\nbeta==1.0\n",
        ("every requirement needs a hash", "beta==1.0 --hash=sha256:", "(requirements.txt:2)"),
    ),
    "a missing pin with hashes": Case(
        "beta==1.0 --hash=sha256:{beta_sha256}\n", ("every requirement needs a hash", "a == pin", "alpha<2")
    ),
    "a build that fails": Case(
        "broken\n", ("broken could not be built", "RuntimeError: out of luck", "broken (requirements.txt:1)")
    ),
    "a missing compiler": Case(
        "native\n", ("native could not be built", "fatal error: Python.h: No such file", "install the missing compiler")
    ),
    "a source tree that cannot be built": Case("{trees}/lib\n", ("lib could not be built", "ValueError: out of luck")),
    "an editable source tree that cannot be built": Case(
        "-e {trees}/lib\n", ("lib could not be built", "ValueError: out of luck")
    ),
    "a missing build backend": Case("{trees}/headless\n", ("headless could not be built", "nobackend")),
    "a missing build requirement": Case(
        "{trees}/needy\n", ("needy could not be built", "No matching distribution found for builder>=1")
    ),
    "a source tree without build requirements": Case(
        "{trees}/requiring-nothing\n",
        ("Can not process file://{trees}/requiring-nothing", "missing the mandatory `requires` key", "PEP 518"),
    ),
    "a directory without a project": Case(
        "{trees}/empty\n", ("pip rejected a requirement or a file", "Neither 'setup.py' nor 'pyproject.toml' found")
    ),
    "an editable directory without a project": Case(
        "-e {trees}/empty\n",
        ("pip rejected a requirement or a file", "does not appear to be a Python project"),
    ),
    "a wheel that is not a zip file": Case(
        "spoilt==1.0\n", ("pip rejected a requirement or a file", "spoilt", "is invalid")
    ),
    "a wheel of a different distribution": Case(
        "gamma @ file://{links}/alpha-1.0-py3-none-any.whl\n",
        ("pip rejected a requirement or a file", "invalid wheel"),
    ),
    "a wheel for a different platform": Case(
        "{links}/foreign-1.0-cp27-cp27m-win32.whl\n", ("pip rejected", "not a supported wheel")
    ),
    "a wheel with an invalid name": Case(
        "{trees}/alpha.whl\n", ("pip rejected a requirement or a file", "wheel filename", "alpha")
    ),
    "a missing file": Case("{links}/alpha-7.0-py3-none-any.whl\n", ("pip rejected", "No such file or directory")),
    "a missing program": Case(
        "x @ git+https://nowhere.invalid/x.git\n",
        ("git is required but not on PATH",),
        environ={"PATH": "/nowhere"},
    ),
    "a missing repository": Case(
        "git+file:///nowhere/x.git\n",
        ("a repository could not be fetched", "'/nowhere/x.git' does not appear to be a git repository"),
    ),
    "an index that is down": Case(
        "alpha\n",
        ("the package index cannot be reached", "Connection refused", "http://****@127.0.0.1"),
        environ={
            "PIP_INDEX_URL": "http://user:secret@127.0.0.1:{dead_port}/simple",
            "PIP_FIND_LINKS": "",
            "PIP_NO_INDEX": "0",
            "PIP_RETRIES": "1",
        },
    ),
    "an index that times out": Case(
        "alpha\n",
        ("the package index did not respond in time", "{index}"),
        fault=("/simple/", "hang"),
        environ={"PIP_TIMEOUT": "0.5", "PIP_RETRIES": "1"},
    ),
    "a download that times out": Case(
        "alpha==1.0\n",
        ("the package index did not respond in time", "{index}"),
        fault=("/files/", "hang"),
        environ={"PIP_TIMEOUT": "0.5"},
    ),
    "a download with a server error": Case(
        "alpha==1.0\n", ("the server returned an error", "500", "{index}"), fault=("/files/", "500")
    ),
    "a download of a different file": Case(
        "alpha==1.0\n", ("hash mismatch", "Expected sha256 {alpha_sha256}", "{index}"), fault=("/files/", "wrong")
    ),
    "a URL without a file": Case(
        "alpha @ {index}/files/alpha-7.0-py3-none-any.whl\n",
        ("the file to download does not exist", "404", "check the URL"),
        served=True,
    ),
    "a URL on a server that is down": Case(
        "alpha @ http://127.0.0.1:{dead_port}/alpha-1.0-py3-none-any.whl\n",
        ("the package index cannot be reached", "Connection refused", "check the network"),
    ),
    "a URL on an unknown host": Case(
        "alpha @ http://nowhere.invalid/alpha-1.0-py3-none-any.whl\n",
        ("the package index cannot be reached", "[Errno ", "check the network"),
    ),
    "a proxy that is down": Case(
        "alpha @ http://nowhere.invalid/alpha-1.0-py3-none-any.whl\n",
        ("the proxy cannot be reached", "Connection refused", "check the proxy"),
        environ={"PIP_PROXY": "http://127.0.0.1:{dead_port}"},
    ),
    "a download that is cut off": Case(
        "alpha==1.0\n",
        ("the package index closed the connection during a download",),
        fault=("/files/", "cut"),
        environ={"PIP_RESUME_RETRIES": "0"},
    ),
    "a URL that needs TLS": Case(
        "alpha @ {index_with_tls}/files/alpha-1.0-py3-none-any.whl\n",
        ("TLS verification of the package index failed", "[SSL"),
        served=True,
    ),
    "missing credentials": Case(
        "alpha @ {index}/files/alpha-1.0-py3-none-any.whl\n",
        ("rejected the credentials or requires them", "401", "keyring-provider"),
        served=True,
        credentials="some:body",
    ),
    "an index without a certificate": Case(
        "alpha\n",
        ("TLS verification of the package index failed", "SSL"),
        served=True,
        environ={"PIP_INDEX_URL": "{index_with_tls}/simple/"},
    ),
}
NOT_REPORTED = {
    "3.8": {
        "a download that is cut off",  # the wheel is then invalid
        "an index with versions for different Pythons",
    }
}
"""The cases in which a pip does not say what happened, by the Python that it is for."""

NEEDS_GIT = {"a missing repository"}
NEEDS_UNKNOWN_HOST = {"a URL on an unknown host"}


def placeholders(links, index, dead_port):
    url = index.url.removesuffix("/simple/")
    return {
        "links": links,
        "trees": links.parent,
        "alpha_sha256": sha256(links / "alpha-1.0-py3-none-any.whl"),
        "beta_sha256": sha256(links / "beta-1.0-py3-none-any.whl"),
        "index": url,
        "index_with_tls": url.replace("http:", "https:"),
        "dead_port": dead_port,
    }


@pytest.fixture(scope="module")
def links(tmp_path_factory):
    """Return a directory of wheels and sdists, many of which cannot be installed; source trees are beside it."""
    directory = tmp_path_factory.mktemp("distributions") / "links"
    for version in ("1.0", "1.2", "1.10", "2.0", "3.0"):
        build_wheel(directory, "alpha", version)
    for minor in range(20):
        build_wheel(directory, "many", f"{1 + minor // 10}.{minor % 10}")
    (directory / "many-1.7-py3-none-any.whl").unlink()
    build_wheel(directory, "beta", "1.0", requires=["alpha<2"])
    build_wheel(directory, "delta", "1.0", requires=["alpha>=2"])
    build_wheel(directory, "newer", "1.0", requires_python=">=3.99")
    build_wheel(directory, "newer", "0.9", requires_python=">=3.98")
    build_wheel(directory, "mixed", "1.0")
    build_wheel(directory, "mixed", "2.0", requires_python=">=3.99")
    build_wheel(directory, "parent", "1.0", requires=["ghost>=1"])
    build_wheel(directory, "parent-of-newer", "1.0", requires=["newer"])
    build_wheel(directory, "foreign", "1.0", tag="cp27-cp27m-win32")
    (directory / "spoilt-1.0-py3-none-any.whl").write_bytes(b"nothing")
    build_sdist(directory, "broken", "1.0", on_build="raise RuntimeError('out of luck')")
    missing = "gcc: fatal error: Python.h: No such file or directory"
    build_sdist(directory, "native", "1.0", on_build=f"import sys; sys.exit({missing!r})")
    build_tree(directory.parent / "lib", "lib", "1.0", on_build="raise ValueError('out of luck')")
    build_wheel(
        build_tree(directory.parent / "newtree", "newtree", "1.0") / "prebuilt",
        "newtree",
        "1.0",
        requires_python=">=3.99",
    )
    backends = {
        "headless": "requires=[]\nbuild-backend='nobackend'",
        "needy": "requires=['builder>=1']",
        "requiring-nothing": "build-backend='nobackend'",
    }
    (directory.parent / "empty").mkdir()
    (directory.parent / "alpha.whl").touch()
    for name, backend in backends.items():
        (directory.parent / name).mkdir()
        project = f"[build-system]\n{backend}\n[project]\nname='{name}'\nversion='1'\n"
        (directory.parent / name / "pyproject.toml").write_text(project)
    return directory


@pytest.fixture
def dead_port():
    """Return the number of a port on which no process listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def is_unknown_host(name):
    try:
        socket.getaddrinfo(name, 80)
    except socket.gaierror:
        return True
    return False


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def failure_of(argv, root, environ):
    """Run the pip command *argv* for the requirements in *root*, and return the explanation of its failure."""
    variables = {"HOME": str(root), "PATH": os.environ["PATH"], "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1", **environ}
    finished = process.run(argv, env=pip_environment(variables, prefix=root), cwd=root)
    assert finished.status, "pip did not fail"
    output = redact(finished.output + finished.errors)
    return explain(output, declared=list(declared_in(root / "requirements.txt")))


def resolving(python, root):
    report = root / "report.json"
    arguments = resolve_arguments(requirements=[root / "requirements.txt"], constraints=[], report=report)
    return (python, "-I", "-m", "pip", *arguments)


def installing(requirements, prefix, *, python=sys.executable):
    arguments = install_arguments(requirements=requirements, prefix=prefix)
    return (python, "-I", "-m", "pip", *arguments)


def declared_in(file):
    """Yield the valid requirements of *file*."""
    for number, line in enumerate(file.read_text().splitlines(), 1):
        text = line.partition(" --hash")[0]
        with contextlib.suppress(InvalidRequirement):
            yield DeclaredRequirement(text=text, origin=Origin(file=file, line=number), requirement=Requirement(text))


@pytest.mark.parametrize("version", PIPS)
@pytest.mark.parametrize("name", CASES)
def test_a_failure_is_explained(version, name, tmp_path, links, dead_port):
    if name in NEEDS_GIT and shutil.which("git") is None:
        pytest.skip("git is not installed")
    if name in NOT_REPORTED.get(version, ()):
        pytest.skip("this pip does not report it")
    if name in NEEDS_UNKNOWN_HOST and not is_unknown_host("nowhere.invalid"):
        pytest.skip("the name server knows hosts that do not exist")
    case = CASES[name]
    index = LocalIndex(links, credentials=case.credentials)
    environ = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links)}
    if case.served or case.fault:
        environ = {"PIP_INDEX_URL": index.url}
    if case.fault:
        index.misbehave(*case.fault)
    values = placeholders(links, index, dead_port)
    environ |= {name: text.format(**values) for name, text in case.environ.items()}
    (tmp_path / "requirements.txt").write_text(case.requirements.format(**values))

    with index.serving():
        failure = failure_of(resolving(python_with_pip(version), tmp_path), tmp_path, environ)

    for text in case.expected:
        assert text.format(**values) in str(failure)
    assert len(str(failure).splitlines()) <= 10
    assert failure.hint
    assert failure.output.strip()
    assert "secret" not in failure.output


def test_an_artifact_that_differs_from_the_lock_is_explained(tmp_path, links):
    wheel = links / "alpha-1.0-py3-none-any.whl"
    package = f'name = "alpha"\nversion = "1.0"\nwheels = [{{path = "{wheel}", hashes = {{sha256 = "{ZEROS}"}}}}]\n'
    lock = tmp_path / "pylock.toml"
    lock.write_text(f'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\n{package}')
    (tmp_path / "requirements.txt").write_text("alpha\n")
    message = str(failure_of(installing(lock, tmp_path / "prefix"), tmp_path, {}))
    assert "hash mismatch" in message
    assert f"Expected sha256 {ZEROS}" in message


def test_a_lock_with_a_server_that_is_down_is_explained(tmp_path, dead_port):
    url = f"http://127.0.0.1:{dead_port}/alpha-1.0-py3-none-any.whl"
    package = f'name = "alpha"\nversion = "1.0"\nwheels = [{{url = "{url}", hashes = {{sha256 = "{ZEROS}"}}}}]\n'
    lock = tmp_path / "pylock.toml"
    lock.write_text(f'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\n{package}')
    (tmp_path / "requirements.txt").write_text("alpha\n")
    failure = failure_of(installing(lock, tmp_path / "prefix"), tmp_path, {})
    assert failure.problem == "the package index cannot be reached"
    assert "Connection refused" in str(failure)
    assert failure.hint.startswith("check the network")


@pytest.mark.parametrize("version", PIPS)
def test_a_wheel_that_cannot_be_built_is_explained(version, tmp_path):
    (tmp_path / "requirements.txt").write_text(f"{tree_with(FAILING_BUILD, tmp_path)}\n")
    argv = installing(tmp_path / "requirements.txt", tmp_path / "prefix", python=python_with_pip(version))
    failure = failure_of(argv, tmp_path, {})
    assert failure.problem == "late could not be built"
    assert failure.facts[-1] == "RuntimeError: too late"
    assert "see the full output of the build" in failure.hint


@pytest.mark.parametrize("version", PIPS)
def test_a_build_of_a_different_wheel_is_explained(version, tmp_path):
    (tmp_path / "requirements.txt").write_text(f"{tree_with(DIFFERENT_WHEEL, tmp_path)}\n")
    argv = installing(tmp_path / "requirements.txt", tmp_path / "prefix", python=python_with_pip(version))
    failure = failure_of(argv, tmp_path, {})
    assert failure.problem == "late could not be built"
    (fact,) = failure.facts
    assert "Built wheel for late is invalid" in fact
    assert "expected 'late', got 'other'" in fact


METADATA_HOOK = """
def prepare_metadata_for_build_wheel(directory, config_settings=None):
    with zipfile.ZipFile(next(pathlib.Path("prebuilt").glob("*.whl"))) as wheel:
        wheel.extractall(directory)
    return next(pathlib.Path(directory).glob("*.dist-info")).name
"""
"""A backend with this hook builds no wheel before one is installed."""

FAILING_BUILD = """
def build_wheel(directory, config_settings=None, metadata_directory=None):
    raise RuntimeError("too late")
"""
DIFFERENT_WHEEL = """
def build_wheel(directory, config_settings=None, metadata_directory=None):
    wheel = next(pathlib.Path("prebuilt").glob("*.whl"))
    name = wheel.name.replace("late", "other")
    (pathlib.Path(directory) / name).write_bytes(wheel.read_bytes())
    return name
"""


def tree_with(build, root):
    """Return a source tree named `late` whose backend reports metadata and then runs *build*."""
    tree = build_tree(root / "late", "late", "1.0")
    with (tree / "backend.py").open("a") as backend:
        backend.write(METADATA_HOOK + build)
    return tree


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_an_unknown_revision_is_explained(tmp_path):
    tree = build_tree(tmp_path / "repository", "tracked", "1.0")
    git(tree, "init")
    commit(tree)
    (tmp_path / "requirements.txt").write_text(f"tracked @ git+{tree.as_uri()}@missing\n")
    failure = failure_of(resolving(sys.executable, tmp_path), tmp_path, {})
    assert failure.problem == "a repository could not be fetched"
    assert "pathspec 'missing' did not match" in failure.facts[-1]


def test_a_read_only_directory_is_named(tmp_path, links):
    if os.getuid() == 0:
        pytest.skip("root may write everywhere")
    prefix, requirements = tmp_path / "prefix", tmp_path / "requirements.txt"
    prefix.mkdir(mode=0o500)
    requirements.write_text("alpha==1.0\n")
    environ = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links)}
    failure = failure_of(installing(requirements, prefix), tmp_path, environ)
    assert failure.problem.startswith(f"permission denied: pip cannot access {prefix}")


def test_an_unknown_failure_is_quoted(tmp_path):
    (tmp_path / "requirements.txt").write_text("")
    argv = (sys.executable, "-I", "-m", "pip", "install", "--no-such-option")
    failure = failure_of(argv, tmp_path, {})
    assert failure.problem == "pip failed"
    assert "no such option: --no-such-option" in str(failure)


OUTPUTS = {
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device": "the disk is full",
    "No space left on device": "the disk is full",
    "ERROR: Could not install packages due to an OSError: [Errno 122] Disk quota exceeded": "quota is exceeded",
    "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/usr/x'\n"
    "Check the permissions.": "permission denied: pip cannot access /usr/x",
    "error: resolution-too-deep\n\nDependency resolution exceeded maximum depth": "pip gave up resolving",
    "error: connection-failed\n\n× Failed to connect\n╰─> [Errno 5] no": "cannot be reached",
    "error: ssl-missing\n\n× Failed to fetch\n╰─> The 'ssl' module is unavailable": "that has the ssl module",
    "error: resolution-too-deep\n\n× Exceeded it\n╰─> Cannot resolve": "Cannot resolve",
    "error: newer\n\n× Cannot do it\n╰─> The reason": "The reason",
    "error: some-new-one\n\n× Cannot do it\n╰─> The reason\n\nhint: Do something else": "Do something else",
    "ERROR: HTTP error 403 while getting https://host/a.whl": "rejected the credentials",
    "WARNING: 401 Error, Credentials not correct for http://h/": "rejected the credentials",
    "ERROR: HTTP error 404 while getting https://host/a.whl": "the file to download does not exist",
    "ERROR: HTTP error 429 while getting https://host/a.whl": "the server rejected the request",
    "ERROR: HTTP error 500 while getting http://h/x": "the server returned an error",
    "Read timed out.": "did not respond in time",
    "NewConnectionError: Failed to establish a new connection": "cannot be reached",
    "ERROR: Exception:\nTraceback (most recent call last):\n  File x\n    ^^^^\nKeyError: 'x'": "KeyError: 'x'",
    "ERROR: something new": "something new",
    "": "pip failed",
}
"""Output that is difficult to produce with a real pip, and what the message about it contains."""


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("context", ["{}", "Collecting x\n{}\nmore\n"], ids=["alone", "among other lines"])
def test_output_is_explained(output, context):
    failure = explain(context.format(output), declared=())
    assert OUTPUTS[output] in str(failure)
    assert "^^^^" not in str(failure)
    assert failure.hint


def test_a_retry_that_succeeded_is_not_the_cause():
    retried = "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(...)': /simple/alpha/"
    missing = "ERROR: Could not find a version that satisfies the requirement alpha==9 (from versions: 1.0)"
    assert explain(f"{retried}\n{missing}\n", declared=()).problem == "alpha==9 does not exist"


def test_offline_is_the_hint_for_a_package_that_is_not_found():
    missing = "ERROR: No matching distribution found for alpha"
    assert explain(missing, declared=(), offline=True).hint == "no index is used with --offline; run again without it"


def test_an_unknown_diagnostic_is_quoted():
    output = "Collecting x\nerror: some-new-one\n\n× Cannot do it\n│ at all\n╰─> The reason\n    and more\n"
    failure = explain(output, declared=())
    assert (failure.problem, failure.facts) == ("Cannot do it at all", ("The reason", "and more"))
    assert failure.hint == "run with -vv to see pip's full output"


def test_build_requirements_that_cannot_be_installed_are_explained():
    error = "ERROR: No matching distribution found for builder"
    context = f"Installing builder\n    [1 lines of output]\n    {error}\n    [end of output]"
    heading = "error: failed-build-dependency-install\n\n× Cannot install build dependencies for lib"
    failure = explain(f"Processing /trees/lib\n{heading}\n╰─> {context}\n", declared=())
    assert (failure.problem, failure.facts) == ("lib could not be built", (error,))


def test_a_long_line_is_cut():
    message = str(explain(f"ERROR: {'x' * 10_000}", declared=()))
    assert len(message) < 500
    assert "…" in message


LINES = st.sampled_from(
    [line for text in OUTPUTS for line in text.splitlines()] + [case.expected[0] for case in CASES.values()]
)


@given(st.lists(LINES | st.text(st.characters(exclude_categories=["Z", "C"]))))
def test_any_output_is_explained_in_ten_lines(lines):
    failure = explain("\n".join(lines), declared=())
    assert len(str(failure).splitlines()) <= 10
    assert failure.hint
    assert failure.output == "\n".join(lines)


@given(st.text())
def test_output_with_control_characters_is_explained_in_ten_lines(output):
    assert len(str(explain(output, declared=())).splitlines()) <= 10 + output.count("\x0b") + output.count("\x85")
