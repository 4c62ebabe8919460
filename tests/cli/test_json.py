"""`--json` prints the fields that docs/reference/json.md describes."""

from __future__ import annotations

import json
import re

import pytest

from conftest import SOURCE

pytestmark = pytest.mark.store("warm")

DESCRIBED = set(re.findall(r"`([a-z_]+)`", (SOURCE.parent / "docs/reference/json.md").read_text(encoding="utf-8")))
COMMANDS = [
    ["sync", "--dry-run"],
    ["sync"],
    ["check"],
    ["status"],
    ["lock"],
    ["lock", "--check"],
    ["list"],
    ["conflicts"],
    ["history"],
    ["rollback", "1"],
    ["store", "path"],
    ["store", "size"],
    ["store", "verify"],
    ["store", "gc"],
]


def fields(value):
    """Return the names of all fields in *value*, except those that are paths of applications."""
    if isinstance(value, dict):
        own = {name for name in value if re.fullmatch("[a-z_]+", name)}
        return own.union(*(fields(content) for name, content in value.items() if name not in ("pythons", "errors")))
    return set().union(*map(fields, value)) if isinstance(value, list) else set()


@pytest.fixture
def answer(isolate, application, index):
    root = application({"requirements.txt": "beta==1.0\nalpha==1.0\n"})
    application({"requirements.txt": "alpha==2.0\n"}, name="app/inner")
    isolate("sync", cwd=root)

    def answer(*command, status=0):
        document = json.loads(isolate(*command, "--json", cwd=root, status=status).out)
        assert (document["isolate"], document["exit_code"]) == (1, status)
        return document

    return answer


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_field_is_described(answer, command):
    document = answer(*command)
    assert document["command"] == " ".join(word for word in command if word[0].isalpha())
    assert fields(document) - DESCRIBED == set()


def test_the_fields_of_many_applications_and_of_failures_are_described(answer):
    document = answer("check", "--all", status=1)
    assert [part["application"] for part in document["applications"]] == [".", "inner"]
    assert fields(document) - DESCRIBED == set()
    assert fields(answer("rollback", "99", status=2)) - DESCRIBED == set()
