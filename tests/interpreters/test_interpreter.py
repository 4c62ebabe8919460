"""What an interpreter tells about itself as a value: its tags, and how it is written to JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import packaging
import pytest
from packaging.tags import parse_tag
from pythons import BASE, imaginary, supported_pythons

from isolate.interpreters.interpreter import Interpreter
from isolate.interpreters.query import describe

PYTHONS = supported_pythons()
each_version = pytest.mark.parametrize("interpreter", PYTHONS, ids=[python.version for python in PYTHONS])


def tags_inside(interpreter, module, *, path=""):
    """Return the tags that *module*, found in *path*, computes inside *interpreter*; skip if it cannot be imported."""
    code = f"import sys; sys.path.insert(0, {path!r}); from {module} import sys_tags; print(*sys_tags())"
    argv = [interpreter.executable, "-I", "-W", "ignore", "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{interpreter.version} cannot import {module}")
    return done.stdout.split()


@each_version
def test_tags_are_those_of_the_interpreters_own_pip(interpreter):
    """Except for the order of platforms and for one rare tag, which differ between releases of `packaging`."""
    expected = tags_inside(interpreter, "pip._vendor.packaging.tags")
    tags = [str(tag) for tag in interpreter.tags()]
    assert set(expected) <= set(tags) <= {*expected, f"cp{interpreter.minor_version.replace('.', '')}-none-any"}
    assert without_platforms(expected) == without_platforms(tags)


def without_platforms(tags):
    return list(dict.fromkeys(tag.rpartition("-")[0] for tag in tags if not tag.endswith("-any")))


@each_version
def test_tags_are_exactly_those_of_the_same_library_inside_the_interpreter(interpreter):
    tags = [str(tag) for tag in interpreter.tags()]
    assert tags == tags_inside(interpreter, "packaging.tags", path=str(Path(packaging.__file__).parents[1]))


@each_version
def test_facts_are_what_the_interpreter_reports_about_itself(interpreter):
    code = "import sys, sysconfig, platform; print(platform.python_version(), sysconfig.get_platform(), sys.prefix)"
    argv = [interpreter.executable, "-I", "-c", code]
    version, platform, _ = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    assert (interpreter.version, interpreter.platform) == (version, platform)
    assert interpreter.markers["python_full_version"] == version
    assert len(interpreter.markers) == 11


def test_a_free_threaded_python_supports_no_wheels_for_the_default_build():
    tags = set(imaginary("3.13.0", free_threaded=True).tags())
    platform = next(iter(tags)).platform
    assert {tag.abi for tag in tags} <= {"cp313t", "abi3t", "none"}
    assert parse_tag(f"cp313-abi3-{platform}").isdisjoint(tags)
    assert parse_tag("cp313-none-any") <= tags


def test_pypy_supports_its_own_wheels_and_pure_ones():
    tags = imaginary("3.10.14", "pypy", implementation_version="7.3.17").tags()
    assert str(tags[0]).startswith("pp310-pypy310_pp73-")
    assert {"pp3-none-any", "py3-none-any"} <= set(map(str, tags))


@pytest.mark.parametrize(
    ("interpreter", "compat_tag"),
    [
        (imaginary("3.11.7"), "cp311-linux_x86_64"),
        (imaginary("3.13.0", platform="macosx-11.0-arm64", free_threaded=True), "cp313t-macosx_11_0_arm64"),
        (imaginary("3.10.14", "pypy"), "pp310-linux_x86_64"),
        (imaginary("3.15.0a2"), "cp315-linux_x86_64"),
    ],
)
def test_the_compatibility_tag_states_what_binary_wheels_depend_on(interpreter, compat_tag):
    assert interpreter.compat_tag == compat_tag


def test_an_interpreter_is_the_same_after_it_was_written_to_json_and_read(tmp_path):
    interpreter = describe(BASE, cache=tmp_path, environ=os.environ)
    assert Interpreter.from_dict(json.loads(json.dumps(interpreter.to_dict()))) == interpreter
    assert interpreter.compat_tag.startswith(f"cp{sys.version_info[0]}{sys.version_info[1]}-")


def test_a_record_with_the_old_name_of_the_fingerprint_is_read():
    interpreter = imaginary("3.11.7")
    record = interpreter.to_dict()
    record["identity"] = record.pop("fingerprint")
    assert Interpreter.from_dict(record) == interpreter
