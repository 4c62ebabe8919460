"""Whatever a record holds, every command answers, and a sync makes the environment right again."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

import pytest

from conftest import MAX_CASES, inconsistencies, versions
from isolate.environment.staging import MARKER
from isolate.fast_path import main
from isolate.signed_record import content_of, signed

COMMANDS = (("check",), ("history",), ("status",), ("rollback",), ("store", "gc"), ("store", "verify"))
ENTRY = "../cache/store-v1/entries/*/alpha-1.0-*"
SIGNED = {
    ".venv/.isolate/state.json": "state",
    ".venv/.isolate/template.json": "template",
    ".venv/.isolate/lock.toml": "lock",
    ".venv/.isolate/history/*.json": "generation",
    ".venv/.isolate/stamp": "stamp",
    ".venv/.isolate/work/journal.json": "journal",
    ".isolate-staging/.gitignore": "mark",
}
"""The records that carry a code, and the kind of each."""
UNSIGNED = (
    ".venv/.isolate/manifests/alpha.json",
    f"{ENTRY}/manifest.json",
    f"{ENTRY}/manifest.sha256",
    "../cache/store-v1/skeletons/*/skeleton.json",
    "../cache/store-v1/seeds/pip-*.sha256",
    "../cache/store-v1/interpreters/*.json",
    "../cache/store-v1/locks/*.toml",
    "../cache/store-v1/environments/*",
)
"""The records that carry none: a signed one holds their digest, or they are in the user's own store."""
UNFINISHED = (".venv/.isolate/work/journal.json", ".isolate-staging/.gitignore")
"""The records that exist only while a command works."""
HOSTILE = {
    "empty": b"",
    "not text": b"\xff\x00\xfe",
    "an empty table": b"{}",
    "a list": b"[]",
    "nothing": b"null",
    "a number of many digits": b"[" + b"9" * 6000 + b"]",
    "deeply nested": b"[" * 100_000,
    "of a later version": b'{"layout": 99, "installed": [], "files": [], "lock-version": "9.0"}',
    "rows": b'[["add", "../../x", "/etc/passwd"], ["remove", "bin/python", ".isolate/work/trash/1"]]',
}


def cuts(content):
    """Yield *content*, cut off after some of its lines, or at a few places of its only one."""
    ends = [number + 1 for number, byte in enumerate(content) if byte == ord("\n")]
    places = ends[:-1] if len(ends) > 2 else [len(content) * part // 5 for part in range(1, 5)]
    yield from (content[:place] for place in places[:: max(1, len(places) // 3)])


def altered(record, real, path):
    """Return *real* with one byte changed, and cut off."""
    middle = len(real) // 2
    return [real[:middle] + bytes([real[middle] ^ 1]) + real[middle + 1 :], *cuts(real)]


def replayed(record, real, path):
    """Return the record of another place, of another kind, and of a later version of the format."""
    content = content_of(real)
    if record not in SIGNED:
        return [content.replace(b"alpha", b"beta"), content.replace(b'"layout": 1', b'"layout": 99')]
    kind = SIGNED[record]
    later = signed(kind, str(path), content).replace(b" 1 ", b" 2 ", 1)
    other_kind = "lock" if kind == "stamp" else "stamp"
    return [signed(kind, f"/elsewhere/{record}", content), signed(other_kind, str(path), content), later]


def hostile(record, real, path):
    """Return hostile contents, with a valid code where the record has one, and cut off before it was signed."""
    contents = [*HOSTILE.values(), *cuts(content_of(real))]
    return [signed(SIGNED[record], str(path), content) for content in contents] if record in SIGNED else contents


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


def path_of(app, record):
    return Path(os.path.normpath(next(iter(sorted(app.glob(record))), app / record)))


JOURNAL = json.dumps([["remove", "bin/alpha", ".isolate/work/trash/1"]]).encode()


def real_content(record, path):
    """Return what isolate wrote into *record*, or what it would write there while it works."""
    if record in UNFINISHED:
        return signed(SIGNED[record], str(path), JOURNAL if "journal" in record else MARKER.encode())
    return path.read_bytes()


def put(path, content):
    """Write *content* to *path*, whatever its permissions are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.chmod(0o644)
    path.write_bytes(content)


def spread(contents, turn):
    """Return *contents*, or a few of them, others in each *turn*, unless all cases are asked for."""
    return contents[turn % len(contents) :: max(1, len(contents) // MAX_CASES)] if MAX_CASES else contents


@pytest.mark.parametrize("variants", [altered, replayed, hostile])
def test_no_record_stops_a_command_or_a_sync(app, variants):
    for turn, record in enumerate((*SIGNED, *UNSIGNED)):
        if record not in UNFINISHED and not path_of(app, record).exists():  # a clean-up has discarded a broken entry
            shutil.rmtree(app / ".venv")
            run(app, "sync")
        path = path_of(app, record)
        real = real_content(record, path)
        for number, content in enumerate(spread(variants(record, real, path), turn)):
            put(path, content)
            for command in (COMMANDS[(turn + number) % len(COMMANDS)], ("sync", "--verify")):
                code, said = run(app, *command)
                assert code in (0, 1, 2), (record, command, content[:200], code, said)
            assert code == 0, (record, content[:200], said)
            assert versions(app / ".venv") == {"alpha": "1.0"}, (record, content[:200])
            assert inconsistencies(app / ".venv") == [], (record, content[:200])
        code, said = run(app, "check", "--hash")
        assert code == 0, (record, said)
