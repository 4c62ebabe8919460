"""Several distributions install one file: one of them owns it, whatever happened before."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from conftest import site, versions
from isolate.environment.records import read_state
from kit.packages import build_tree, build_wheel

LEFT, RIGHT, TOP = "x = 'left'\n", "x = 'right and right'\n", "x = 'top'\n"


@pytest.fixture
def packages(index):
    """Build packages with common files: `right` comes after `left` by name, `a-top` after `left` as a dependent."""
    build = lambda name, version, **options: build_wheel(index.directory, name, version, **options)  # noqa: E731
    scripts, data = {"tool": "shared:left"}, {"data/share/tool.txt": "left"}
    build("left", "1.0", files={"shared.py": LEFT, "pkg/__init__.py": "", "pkg/l.py": ""}, scripts=scripts, data=data)
    build("left", "2.0", files={"pkg/__init__.py": "", "pkg/l.py": "y = 2\n"})
    scripts, data = {"tool": "shared:right"}, {"data/share/tool.txt": "right"}
    build("right", "1.0", files={"shared.py": RIGHT, "pkg/__init__.py": "", "pkg/r.py": ""}, scripts=scripts, data=data)
    build("right", "2.0", files={"pkg/__init__.py": "# other\n", "pkg/r.py": ""})
    build("a-top", "1.0", files={"shared.py": TOP, "pkg/__init__.py": ""}, requires=["left"])
    return index


def tree(app):
    """Return the content of each file of the environment except isolate's records, and each empty directory."""
    found = {}
    for directory, names, files in os.walk(app / ".venv"):
        if ".isolate" in names:
            names.remove(".isolate")
        for name in files:
            path = os.path.join(directory, name)
            found[path] = os.readlink(path) if os.path.islink(path) else Path(path).read_bytes()
        if not names and not files:
            found[directory] = b""
    return found


def requirements(*pins):
    return {"requirements.txt": "".join(f"{pin}\n" for pin in pins)}


SETS = {
    "L": ("left==1.0",),
    "R": ("right==1.0",),
    "LR": ("left==1.0", "right==1.0"),
    "LTR": ("left==1.0", "a-top==1.0", "right==1.0"),
    "LT": ("left==1.0", "a-top==1.0"),
    "L2R": ("left==2.0", "right==1.0"),
    "LR2": ("left==1.0", "right==2.0"),
}
SEQUENCES = ("L LR R LR L LTR LT L", "R LR L2R LR LR2 LR", "LTR LR2 LT L2R R LTR")


@pytest.mark.parametrize("options", [(), ("--compile",)], ids=["plain", "compile"])
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_an_environment_is_the_same_after_any_sequence(isolate, application, packages, sequence, options):
    fresh = {}
    for name in sorted(set(sequence.split())):
        app = application(requirements(*SETS[name]))
        isolate("sync", *options, cwd=app)
        fresh[name] = tree(app)
        shutil.rmtree(app / ".venv")
    for number, name in enumerate(sequence.split()):
        application(requirements(*SETS[name]))
        isolate("sync", *options, cwd=app)
        after = tree(app)
        assert {path for path in after if after[path] != fresh[name].get(path)} == set(), (number, name)
        assert after.keys() == fresh[name].keys(), (number, name)
        assert isolate("check", "--hash", cwd=app).out.startswith("OK: ")
    number = 1 + sequence.split().index("LTR" if "LTR" in sequence else "L2R")
    isolate("rollback", str(number), cwd=app)
    assert tree(app) == fresh[sequence.split()[number - 1]]
    assert (
        "nothing to do"
        in isolate("sync", "--verify", cwd=application(requirements(*SETS[sequence.split()[number - 1]]))).out
    )


def test_the_owner_of_a_different_file_is_told_in_one_line(isolate, application, packages):
    app = application(requirements(*SETS["LTR"]))
    warnings = [line for line in isolate("sync", cwd=app).err.splitlines() if line.startswith("warning")]
    here = f"lib/{site(app).parent.name}/site-packages"
    assert warnings == [
        f"warning: a-top and right both install {here}/shared.py, with different content; that of right is used",
        "warning: left and right both install bin/tool and 2 more, with different content; that of right is used",
    ]
    assert (site(app) / "shared.py").read_text() == RIGHT
    assert isolate("run", "--", "python", "-c", "import shared; print(shared.x)", cwd=app).out == "right and right\n"
    application(requirements("alpha==1.0", *SETS["LTR"]))
    assert "warning" not in isolate("sync", cwd=app).err


def test_check_knows_the_owner_and_a_damaged_file_is_restored(isolate, application, packages):
    app = application(requirements(*SETS["LR"]))
    isolate("sync", cwd=app)
    assert isolate("check", cwd=app).out.startswith("OK: 2 packages")
    (site(app) / "shared.py").write_text("x = 'edited'\n")
    (app / ".venv/bin/tool").unlink()
    findings = json.loads(isolate("check", "--json", cwd=app, status=1).out)["findings"]
    assert [(found["code"], found["detail"]) for found in findings] == [
        ("missing-file", "right"),
        ("modified-file", "right"),
    ]
    assert "~ right 1.0 (repaired)" in isolate("sync", "--verify", cwd=app).out
    assert (site(app) / "shared.py").read_text() == RIGHT
    assert isolate("check", "--hash", cwd=app).out.startswith("OK: 2 packages")


def test_a_package_that_stays_gets_its_file_back_from_the_store(isolate, application, packages, cache):
    app = application(requirements(*SETS["L"]))
    isolate("sync", cwd=app)
    application(requirements(*SETS["LR"]))
    isolate("sync", cwd=app)
    application(requirements(*SETS["L"]))
    shutil.rmtree(next(cache.glob("store-v1/entries/*/left-1.0-*")))
    assert "missing from the store" in isolate("sync", "--offline", cwd=app, status=2).err
    assert (site(app) / "shared.py").read_text() == RIGHT
    changes = [line for line in isolate("sync", cwd=app).out.splitlines() if line[0] in "+-~"]
    assert changes == ["- right 1.0"]
    assert (site(app) / "shared.py").read_text() == LEFT
    assert isolate("sync", cwd=app).out.startswith("nothing to do: 1 package")


def test_a_source_tree_owns_its_files_as_other_packages_do(isolate, application, packages, isolated_home, tmp_path):
    tree = build_tree(tmp_path / "zoo", "zoo", "1.0")
    build_wheel(tree / "editable", "zoo", "1.0", files={"zoo.pth": f"{tree}/src\n"}, scripts={"tool": "zoo:main"})
    app = application(requirements(f"-e {tree}", "right==1.0"))
    assert "warning: right and zoo both install bin/tool, with" in isolate("sync", cwd=app).err
    assert "from zoo import main" in (app / ".venv/bin/tool").read_text()
    assert isolate("check", "--hash", cwd=app).out.startswith("OK: 2 packages")
    (isolated_home / ".local/state/isolate/key").unlink()
    assert isolate("check", cwd=app, status=1).out.splitlines()[:-1] == ["unverified: zoo (not in the store)"]
    isolate("sync", cwd=app)
    assert "from zoo import main" in (app / ".venv/bin/tool").read_text()
    application(requirements("right==1.0"))
    isolate("sync", cwd=app)
    assert "from shared import right" in (app / ".venv/bin/tool").read_text()
    assert isolate("check", "--hash", cwd=app).out.startswith("OK: 1 package")


def test_an_undeclared_package_yields_to_every_locked_one(isolate, application, packages):
    app = application(requirements(*SETS["R"]))
    isolate("sync", cwd=app)
    application(requirements(*SETS["L"]))
    isolate("sync", "--inexact", cwd=app)
    assert versions(app / ".venv") == {"left": "1.0", "right": "1.0"}
    assert (site(app) / "shared.py").read_text() == LEFT
    assert isolate("check", cwd=app).out.startswith("OK: 2 packages")
    isolate("sync", cwd=app)
    assert (site(app) / "shared.py").read_text() == LEFT
    assert not (site(app) / "pkg/r.py").exists()


def test_an_environment_without_verified_records_keeps_its_owners(isolate, application, packages, isolated_home):
    app = application(requirements(*SETS["LTR"]))
    isolate("sync", cwd=app)
    before = read_state(app / ".venv").installed
    (isolated_home / ".local/state/isolate/key").unlink()
    assert isolate("check", cwd=app).out.startswith("OK: 3 packages")
    assert "3 packages as locked" in isolate("sync", cwd=app).out
    after = read_state(app / ".venv").installed
    assert {name: dist.overridden for name, dist in after.items()} == {n: dist.overridden for n, dist in before.items()}
    application(requirements(*SETS["LT"]))
    isolate("sync", cwd=app)
    assert (site(app) / "shared.py").read_text() == TOP


def test_a_lock_with_another_order_gives_another_owner(isolate, application, packages):
    app = application(requirements("left<2", "a-top"))
    isolate("sync", cwd=app)
    assert (site(app) / "shared.py").read_text() == TOP
    lock = app / "pylock.toml"
    text = lock.read_text()
    start = text.index("dependencies = [")
    lock.write_text(text[:start] + text[text.index("]\n", start) + 2 :])
    [finding, _] = isolate("check", cwd=app, status=1).out.splitlines()
    assert finding == f"modified file: lib/{site(app).parent.name}/site-packages/shared.py (left)"
    assert "~ left 1.0 (repaired)" in isolate("sync", cwd=app).out
    assert (site(app) / "shared.py").read_text() == LEFT
    assert isolate("check", "--hash", cwd=app).out.startswith("OK: 2 packages")


def test_a_file_of_an_undeclared_source_tree_is_not_lost(isolate, application, packages, tmp_path):
    """Nothing can build the source tree again, so a sync that would need that is refused."""
    tree = build_tree(tmp_path / "zoo", "zoo", "1.0")
    build_wheel(tree / "editable", "zoo", "1.0", files={"zoo.pth": f"{tree}/src\n"}, scripts={"tool": "zoo:main"})
    app = application(requirements(f"-e {tree}"))
    isolate("sync", cwd=app)
    application(requirements("left==1.0"))
    isolate("sync", "--inexact", cwd=app)
    assert "from shared import left" in (app / ".venv/bin/tool").read_text()
    application(requirements("alpha==1.0"))
    message = isolate("sync", "--inexact", cwd=app, status=2).err
    assert "zoo would have to be built again, and nothing declares it" in message
    assert versions(app / ".venv") == {"left": "1.0", "zoo": "1.0"}
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}
    assert isolate("check", "--hash", cwd=app).out.startswith("OK: 1 package")
