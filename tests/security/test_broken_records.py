"""Whatever a record holds, every command answers, and a sync makes the environment right again."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path

import pytest

from conftest import inconsistencies, versions
from isolate.fast_path import main
from isolate.signed_record import content_of, signed
from kit.records import kind_of

COMMANDS = (("check",), ("history",), ("status",), ("rollback",), ("store", "gc"), ("sync", "--verify"))
RECORDS = {
    "the state": ".venv/.isolate/state.json",
    "the template": ".venv/.isolate/template.json",
    "the lock": ".venv/.isolate/lock.toml",
    "the journal": ".venv/.isolate/work/journal.json",
    "a manifest in the store": "../cache/store-v1/entries/*/alpha-1.0-*/manifest.json",
}
DEEP = b"[" * 100_000
HOSTILE = {
    "empty": b"",
    "not text": b"\xff\x00\xfe",
    "an empty table": b"{}",
    "a list": b"[]",
    "nothing": b"null",
    "a number of many digits": b"[" + b"9" * 6000 + b"]",
    "deeply nested": DEEP,
    "of a later version": b'{"layout": 99, "installed": [], "files": [], "lock-version": "9.0"}',
    "rows": b'[["add", "../../x", "/etc/passwd"], ["remove", "bin/python", ".isolate/work/trash/1"]]',
}


def cuts(content):
    """Yield *content*, cut off at each line, or at a few places of its only one."""
    ends = [number + 1 for number, byte in enumerate(content) if byte == ord("\n")]
    places = ends if len(ends) > 2 else [len(content) * part // 5 for part in range(1, 5)]
    for place in places[:: max(1, len(places) // 4)]:
        yield content[:place]


def run(directory, *arguments):
    """Run the command in a fork of this process, which has imported it; return its exit code and what it printed."""
    with tempfile.TemporaryFile("w+") as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os._exit(_in_child(directory, arguments))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        return code, output.read()


def _in_child(directory, arguments):
    sys.argv = ["isolate", *arguments]
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    try:
        os.chdir(directory)
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the child must end here, whatever happens
        traceback.print_exc()
        return 99
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    return code


@pytest.fixture
def app(isolate, application, index):
    root = application({"requirements.txt": "alpha==1.1\n"})
    isolate("sync", cwd=root)
    application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=root)
    return root


def path_of(app, pattern):
    return Path(os.path.normpath(next(app.glob(pattern), app / pattern)))


@pytest.mark.parametrize("name", RECORDS)
def test_no_record_stops_a_command(app, name):
    record = path_of(app, RECORDS[name])
    real = record.read_bytes() if record.exists() else json.dumps([["remove", "bin/alpha", "x"]]).encode()
    for number, content in enumerate(variants(name, record, real)):
        record.parent.mkdir(parents=True, exist_ok=True)
        if record.exists():
            record.chmod(0o644)
        record.write_bytes(content)
        for command in (COMMANDS[number % (len(COMMANDS) - 1)], COMMANDS[-1]):
            code, said = run(app, *command)
            assert code in (0, 1, 2), (command, content[:200], code, said)
        assert code == 0, (content[:200], said)
        assert versions(app / ".venv") == {"alpha": "1.0"}
        assert inconsistencies(app / ".venv") == []
        code, said = run(app, "check", "--hash")
        assert code == 0, (content[:200], said)


def variants(name, record, real):
    """Return some hostile contents of *record*, others for each *name*; the fuzz tests try more on the readers."""
    hostile, turn = [*HOSTILE.values()], [*RECORDS].index(name)
    chosen = [hostile[turn % len(hostile)], hostile[(turn + 4) % len(hostile)], next(cuts(content_of(real)), b"")]
    if real.startswith(b"isolate-record"):
        return [*(signed(kind_of(record), str(record), content) for content in chosen), real[: len(real) // 2]]
    return chosen
