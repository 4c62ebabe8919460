"""Every reader answers mutated files soon, and only with the errors that it documents."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isolate.declarations.read import read_declarations
from isolate.environment import file_records, history, journal, records
from isolate.environment.stamp.read import KIND, stamped_mtimes, up_to_date_message
from isolate.environment.stamp.variables import variable_line
from isolate.environment.verify import unmanaged_distributions
from isolate.errors import InvalidDistribution, IsolateError
from isolate.git_index import parse_index
from isolate.interpreters.interpreter import Interpreter
from isolate.interpreters.version_file import read_version_file
from isolate.lock.freshness import staleness
from isolate.lock.locked_selections import selections_of, still_left_out
from isolate.lock.metadata_files import metadata_files
from isolate.lock.pylock_file import lock_content, parse_lock
from isolate.lock.select import select
from isolate.locked import Selection
from isolate.pip.config_files import read_config
from isolate.pip.report import read_report
from isolate.signed_record import content_of, signed
from isolate.store.manifest import read_manifest
from isolate.store.record_file import read_record
from isolate.store.unpacked import read_prefix

CASES = 1000
"""Mutations of each kind of file."""

SECONDS = 2.0
"""CPU seconds within which a reader must answer."""

WORDS = (
    *b"\0 \n \r \x1b[ \xff \xe2\x80\xae \" ' [ ] { } [[ = == @ ; # \\ \\u0000 ../ / // %00 ${A} - -- --hash=".split(
        b" "
    ),
    *b'null true -1 1e999 NaN {} [] "a"'.split(b" "),
    *(b"-r ", b"-e ", b" " * 5000, b"9" * 5000, b"[" * 2000, b"(" * 2000, b"a" * 5000),
)
"""What a mutation inserts."""

INTERPRETER = Interpreter(
    executable=sys.executable,
    version="3.11.7",
    implementation="cpython",
    platform="linux-x86_64",
    free_threaded=False,
    markers={
        "implementation_name": "cpython",
        "implementation_version": "3.11.7",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "6",
        "platform_system": "Linux",
        "platform_version": "1",
        "python_full_version": "3.11.7",
        "python_version": "3.11",
        "sys_platform": "linux",
    },
    fingerprint="x",
)


def mutated(source, content):
    """Return *content* with a few changes that *source*, a `random.Random`, chooses."""
    data = bytearray(content)
    for _ in range(source.randint(1, 4)):
        start = source.randrange(len(data) + 1)
        end = min(len(data), start + source.choice((0, 1, 4, 50, 1000)))
        kind = source.randrange(5)
        if kind == 0:
            del data[start:end]
        elif kind == 1:
            data[start:start] = source.choice(WORDS)
        elif kind == 2:
            data[start:end] = source.choice(WORDS)
        elif kind == 3:
            data[start:start] = data[start:end] * source.choice((1, 2, 30))
        elif data:
            data[start % len(data)] = source.randrange(256)
    return bytes(data)


def answer_all(contents, read, errors):
    """Let *read* read every one of *contents*; only *errors* may be raised, and every answer comes soon."""
    for number, content in enumerate(contents):
        started = time.process_time()
        try:
            read(content)
        except errors as error:
            assert len(str(error)) < 20_000
        except Exception as error:
            raise AssertionError(f"case {number}: {type(error).__name__}: {error}\n{content[:2000]!r}") from error
        assert time.process_time() - started < SECONDS, f"case {number}: {content[:2000]!r}"


def fuzz(real, read, errors, cases=CASES):
    """Let *read* read mutations of the *real* contents, the same ones in every run."""
    source = random.Random(f"{len(real)} {len(real[0])}")
    answer_all((mutated(source, source.choice(real)) for _ in range(cases)), read, errors)


PYPROJECT = b"""
[build-system]
requires = ["setuptools>=61"]
[project]
name = "app"
version = "1.0"
requires-python = ">=3.9,<4"
readme = "README.md"
dynamic = ["description"]
dependencies = ["alpha==1.0", "beta[x,y]>=1,!=2; python_version > '3.8'", "gamma @ https://example.org/g-1.whl#sha256=aa"]
[project.optional-dependencies]
x = ["delta", "app[y]"]
y = ["epsilon~=1.2"]
[dependency-groups]
dev = ["zeta", { include-group = "test" }]
test = ["eta===1.0+local"]
[tool.isolate]
python = ">=3.9"
link-mode = "auto"
constraints = []
metadata-files = ["VERSION"]
applications = ["services/*"]
[tool.setuptools.dynamic]
description = { file = ["README.md"] }
"""
REQUIREMENTS = b"""# comment
--index-url https://user:${TOKEN}@example.org/simple
--extra-index-url=https://example.org/more
--find-links ./wheels --no-binary :all:
-c constraints.txt
-r more.txt
alpha==1.0 --hash=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \\
    --hash=sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
beta[x,y]>=1,!=2; python_version > '3.8' and (os_name == "posix" or extra == 'x')
-e ./lib
gamma @ git+https://example.org/g.git@main#egg=gamma&subdirectory=x
./delta-1.0-py3-none-any.whl
epsilon @ file:///tmp/e-1.0.tar.gz
"""
LOCK = b"""
lock-version = "1.0"
environments = ["python_version == '3.11'"]
requires-python = ">=3.9"
extras = ["x"]
dependency-groups = ["dev"]
default-groups = ["dev"]
created-by = "isolate"
[[packages]]
name = "alpha"
version = "1.0"
dependencies = [{ name = "beta" }]
[[packages.wheels]]
name = "alpha-1.0-py3-none-any.whl"
url = "https://example.org/alpha-1.0-py3-none-any.whl"
hashes = { sha256 = "aa" }
[packages.tool.isolate]
extras = ["x"]
requires = ["beta"]
[[packages]]
name = "beta"
version = "1.0"
marker = "python_version > '3.8' and 'dev' in dependency_groups"
[packages.sdist]
name = "beta-1.0.tar.gz"
url = "https://example.org/beta-1.0.tar.gz"
hashes = { sha256 = "bb" }
[[packages]]
name = "lib"
[packages.directory]
path = "lib"
editable = true
[packages.tool.isolate]
tree = "cc"
[[packages]]
name = "gamma"
[packages.vcs]
type = "git"
url = "https://example.org/g.git"
commit-id = "dd"
[[packages]]
name = "delta"
[packages.archive]
path = "delta-1.0-py3-none-any.whl"
hashes = { sha256 = "ee" }
[tool.isolate]
selections = [{ extras = ["x"], groups = ["dev"] }, { extras = [], groups = [] }]
left-out = [{ extra = "y", requires = ["zeta"] }]
"""
CONFIG = b"""[global]
index-url = https://user:pass@example.org/simple
extra-index-url =
    https://example.org/a
    https://example.org/b
no-binary = :all:
[install]
timeout: 10
; comment
"""
REPORT = json.dumps(
    {
        "version": "1",
        "install": [
            {
                "download_info": {
                    "url": "https://u:p@example.org/a-1.whl",
                    "archive_info": {"hashes": {"sha256": "aa"}},
                },
                "is_direct": False,
                "requested": True,
                "requested_extras": ["x"],
                "metadata": {
                    "name": "A",
                    "version": "1",
                    "requires_dist": ["b; extra == 'x'"],
                    "requires_python": ">=3",
                },
            },
            {
                "download_info": {"url": "https://example.org/g", "vcs_info": {"vcs": "git", "commit_id": "cc"}},
                "is_direct": True,
                "requested": True,
                "metadata": {"name": "g", "version": "1"},
            },
        ],
    }
).encode()


def test_pyproject(tmp_path):
    path = tmp_path / "pyproject.toml"

    def read(content):
        path.write_bytes(content)
        metadata_files(str(tmp_path))
        read_declarations(tmp_path, {})

    fuzz([PYPROJECT], read, IsolateError)


def test_requirements_files(tmp_path):
    for name in ("constraints.txt", "more.txt"):
        (tmp_path / name).write_text("zeta<3\n")

    def read(content):
        (tmp_path / "requirements.txt").write_bytes(content)
        read_declarations(tmp_path, {"TOKEN": "secret", "A": "${TOKEN}" * 100})

    fuzz([REQUIREMENTS], read, IsolateError)


def test_locks(tmp_path):
    (tmp_path / "requirements.txt").write_text("alpha\nlib @ file:///x\n./delta-1.0-py3-none-any.whl\n")
    (tmp_path / "delta-1.0-py3-none-any.whl").touch()
    declarations = read_declarations(tmp_path, {})

    def read(content):
        lock = parse_lock(content, tmp_path / "pylock.toml")
        staleness(lock, declarations, INTERPRETER, {})
        select(lock, INTERPRETER, Selection(), root=str(tmp_path))
        still_left_out(lock, declarations)
        for selection in selections_of(lock):
            select(lock, INTERPRETER, selection, root=str(tmp_path))
        lock_content(lock)

    fuzz([LOCK], read, IsolateError)


def test_version_files(tmp_path):
    def read(content):
        (tmp_path / ".python-version").write_bytes(content)
        request = read_version_file(tmp_path)
        if request is not None:
            request.is_met_by(INTERPRETER)
            assert request.commands

    fuzz([b"3.12\n", b"# x\ncpython-3.11.4-linux-x86_64\n", b">=3.9,<4\n", b"pypy3.10-7.3.12\n"], read, IsolateError)


def test_configuration_of_pip(tmp_path):
    def read(content):
        (tmp_path / "pip.conf").write_bytes(content)
        read_config(tmp_path / "pip.conf")

    fuzz([CONFIG], read, IsolateError)


def test_reports_of_pip():
    fuzz([REPORT], lambda content: read_report(content.decode(errors="replace")), IsolateError)


def test_the_index_of_git():
    entry = b"100644 78981922613b2afb6025042ff6bd878ac1994e85 0\ta b\0  ctime: 1:2\n  mtime: 1:2\n"
    entry += b"  dev: 27\tino: 1\n  uid: 0\tgid: 0\n  size: 2\tflags: 0\n"
    fuzz([entry * 3], lambda content: list(parse_index(content.decode(errors="replace"))), ())


def test_records_of_distributions(tmp_path):
    info = tmp_path / "lib/python3.11/site-packages/alpha-1.0.dist-info"
    info.mkdir(parents=True)
    rows = b"alpha/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\r\n../../../bin/alpha,,\n"
    rows += b'"a,b.py",,\nalpha-1.0.dist-info/RECORD,,\nalpha-1.0.dist-info/METADATA,,\n'

    def read(content):
        (info / "RECORD").write_bytes(content)
        with contextlib.suppress(ValueError):
            read_record(content)
        with contextlib.suppress(InvalidDistribution):
            read_prefix(tmp_path)
        (info / "METADATA").write_bytes(content)
        unmanaged_distributions(tmp_path, "lib/python3.11/site-packages", {})

    fuzz(
        [rows, b"Metadata-Version: 2.1\nName: Alpha\nVersion: 1.0\nRequires-Dist: b; extra == 'x'\n\ntext\n"], read, ()
    )


@pytest.fixture(scope="module")
def environment(seeded_cache):
    """Return an environment that isolate made."""
    return seeded_cache.parent / "application-0/.venv"


@pytest.fixture
def copy(environment, tmp_path):
    """Return a directory with the records of a real environment and nothing else."""
    shutil.copytree(environment / ".isolate", tmp_path / "app/.venv/.isolate", symlinks=True)
    return tmp_path / "app/.venv"


def contents_of(path):
    return [content_of(path.read_bytes())]


MANIFEST = ".isolate/manifests/pip.json"
READERS = {
    records.STATE: lambda venv: (records.read_state(venv), records.claimed_state(venv)),
    records.TEMPLATE: file_records.template_files,
    ".isolate/history/1.json": history.read_history,
    MANIFEST: lambda venv: read_manifest(venv / MANIFEST),
}
KINDS_BY_PATH = {**records.KINDS, ".isolate/history/1.json": history.KIND}


def read_both(venv, name, content):
    """Read the record *name* with *content*, once as it is and once with a valid code."""
    path = venv / name
    path.write_bytes(content)
    READERS[name](venv)
    if name in KINDS_BY_PATH:
        path.write_bytes(signed(KINDS_BY_PATH[name], str(path), content))
        READERS[name](venv)


@pytest.mark.parametrize("name", READERS)
def test_records(copy, name):
    (real,) = contents_of(copy / name)
    corpus = [real] if len(real) < 20_000 else [real[:3000] + real[-3000:], real]
    errors = (OSError, ValueError) if name == MANIFEST else ()
    fuzz(corpus, lambda content: read_both(copy, name, content), errors)


def test_journals(copy):
    steps = [["add", ".isolate/work/staging/lib/a", "lib/a"], ["remove", "lib/b", ".isolate/work/trash/0"]]
    outside = copy.parent / "outside"
    outside.write_text("untouched")

    def read(content):
        (copy / ".isolate/work").mkdir(exist_ok=True)
        for data in (content, signed(journal.KIND, f"{copy}/{records.JOURNAL}", content)):
            (copy / records.JOURNAL).write_bytes(data)
            journal.replay(copy)

    fuzz([json.dumps(steps).encode()], read, (IsolateError, OSError))
    assert outside.read_text() == "untouched"


def test_no_mutated_stamp_says_that_there_is_nothing_to_do(isolate, application, isolated_home):
    app = application({"requirements.txt": ""})
    isolate("sync", cwd=app)
    venv, stamp = str(app / ".venv"), app / ".venv/.isolate/stamp"
    real = stamp.read_bytes()
    assert up_to_date_message(venv, variable_line) is not None
    (app / "requirements.txt").write_text("alpha\n")

    def read(content):
        stamp.write_bytes(content)
        assert up_to_date_message(venv, variable_line) is None

    fuzz([real], read, ())
    lines = real.splitlines(keepends=True)
    answer_all((b"".join(lines[:number]) for number in range(len(lines) + 1)), read, ())
    answer_all((b"".join(lines[:number] + lines[number + 1 :]) for number in range(len(lines))), read, ())

    def read_correctly_signed(content):
        stamp.write_bytes(signed(KIND, str(stamp), content))
        up_to_date_message(venv, variable_line)
        with contextlib.suppress(OSError, ValueError):
            stamped_mtimes(venv)

    fuzz([content_of(real)], read_correctly_signed, ())


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=10,
)


FIXED = settings(
    max_examples=300, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FIXED
@given(value=ANY_JSON, number=st.integers(0, 50))
def test_a_record_with_any_value_in_any_place(copy, value, number):
    for name in READERS:
        original = (copy / name).read_bytes()
        table = json.loads(content_of(original)) if number % 3 else value
        if isinstance(table, dict) and table:
            table = {**table, sorted(table)[number % len(table)]: value}
        try:
            read_both(copy, name, json.dumps(table).encode())
        except (OSError, ValueError):
            assert name == MANIFEST
        finally:
            (copy / name).write_bytes(original)


BEGINNINGS = st.sampled_from(["", "alpha", "alpha @ ", "-r ", "-e ", "--index-url ", "alpha; "])


@FIXED
@given(line=st.text(max_size=60), beginning=BEGINNINGS)
def test_any_line_of_a_requirements_file(tmp_path, line, beginning):
    (tmp_path / "requirements.txt").write_bytes(f"{beginning}{line}".encode(errors="surrogatepass"))
    with contextlib.suppress(IsolateError):
        read_declarations(tmp_path, {})
