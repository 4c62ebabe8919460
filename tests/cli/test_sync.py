from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time

import pytest

from conftest import inconsistencies, versions
from kit.packages import build_sdist, build_tree, build_wheel
from kit.records import resign

pytestmark = pytest.mark.store("warm")


@pytest.mark.store("cold")
def test_pins_are_installed_into_a_new_environment(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    result = isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}
    assert inconsistencies(app / ".venv") == []
    assert "+ alpha 1.0" in result.out.splitlines()
    assert "read requirements.txt" in result.out
    assert "created .venv" in result.out.splitlines()
    assert "Python " in result.out


def test_two_applications_keep_two_versions(isolate, application, index):
    one = application({"requirements.txt": "alpha==1.0\n"}, name="one")
    two = application({"requirements.txt": "alpha==2.0\n"}, name="two")
    isolate("sync", one, two)
    assert (versions(one / ".venv"), versions(two / ".venv")) == ({"alpha": "1.0"}, {"alpha": "2.0"})
    assert isolate("run", "--", "alpha", cwd=one).out == "alpha 1.0\n"
    assert isolate("run", "--", "alpha", cwd=two).out == "alpha 2.0\n"


@pytest.mark.store("cold")
def test_a_second_sync_has_nothing_to_do(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    asked = len(index.requests)
    assert isolate("sync", cwd=app).out.startswith("nothing to do: 1 package, Python")
    assert isolate("sync", "-q", cwd=app).out == ""
    assert len(index.requests) == asked


def test_a_change_with_the_same_mtime_as_the_last_one_is_noticed(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    module = next(app.glob(".venv/lib/python*/site-packages/alpha/__init__.py"))
    moment = time.time_ns() + 60 * 10**9  # in the future when the next sync runs, on any machine
    os.utime(module.parent, ns=(moment, moment))
    isolate("sync", cwd=app)
    module.unlink()
    os.utime(
        module.parent, ns=(moment, moment)
    )  # many kernels give the same mtime to changes within a few milliseconds
    isolate("sync", cwd=app)
    assert module.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [("requirements.txt", "made==1.0\ndelta==1.0\n"), ("deep.txt", "delta==1.0\n"), ("pyproject.toml", "[project]\n")],
)
def test_an_edit_during_a_sync_is_noticed_by_the_next(isolate, application, index, name, content):
    app = application({"requirements.txt": "made==1.0\n-r deep.txt\n", "deep.txt": "alpha==1.0\n"})
    edit = f"pathlib.Path({str(app / name)!r}).write_text({content!r})"
    build_sdist(index.directory, "made", "1.0", on_build=f"import pathlib; {edit}")
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0", "made": "1.0"}
    assert not (app / ".venv/.isolate/stamp").exists()
    isolate("sync", cwd=app)
    assert ("delta" in versions(app / ".venv")) == ("delta" in content)


def test_an_edit_of_the_lock_during_a_sync_is_noticed_by_the_next(isolate, application, index):
    app = application({"requirements.txt": "made\n"})
    edit = f"path = pathlib.Path({str(app / 'pylock.toml')!r}); path.exists() and path.write_text('no lock')"
    build_sdist(index.directory, "made", "1.0", on_build=f"import pathlib; {edit}")
    isolate("lock", cwd=app)
    isolate("sync", cwd=app)
    assert "pylock.toml" in isolate("sync", cwd=app, status=2).err


@pytest.mark.store("cold")
def test_a_changed_pin_replaces_only_that_package(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\ndelta==1.0\n"})
    isolate("sync", cwd=app)
    before = (app / ".venv/lib").stat().st_ino
    delta = next(app.glob(".venv/lib/*/site-packages/delta/__init__.py")).stat().st_ctime_ns
    application({"requirements.txt": "alpha==1.1\ndelta==1.0\n"})
    result = isolate("sync", cwd=app)
    assert [line for line in result.out.splitlines() if line[0] in "+-~"] == ["~ alpha 1.0 → 1.1"]
    assert versions(app / ".venv") == {"alpha": "1.1", "delta": "1.0"}
    assert (app / ".venv/lib").stat().st_ino == before
    assert next(app.glob(".venv/lib/*/site-packages/delta/__init__.py")).stat().st_ctime_ns == delta
    assert inconsistencies(app / ".venv") == []


def test_undeclared_packages_are_removed_and_pip_is_kept(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\ndelta==1.0\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": "delta==1.0\n"})
    assert "- alpha 1.0" in isolate("sync", cwd=app).out
    assert versions(app / ".venv") == {"delta": "1.0"}
    assert not (app / ".venv/bin/alpha").exists()
    assert (app / ".venv/bin/pip").exists()


@pytest.mark.store("cold")
def test_direct_pins_are_locked_with_their_dependencies(isolate, application, index):
    app = application({"requirements.txt": "beta==1.0\n"})
    assert "wrote pylock.toml" in isolate("sync", cwd=app).out
    first = versions(app / ".venv")
    application({"requirements.txt": "beta==1.0\n\n# a comment does not make a lock stale\n"})
    assert "nothing to do" in isolate("sync", cwd=app).out
    assert versions(app / ".venv") == first == {"alpha": "1.1", "beta": "1.0"}


def test_a_file_that_pins_everything_gets_no_lock_in_the_tree(isolate, application, index):
    app = application({"requirements.txt": "beta==1.0\nalpha==1.0\n"})
    isolate("sync", cwd=app)
    assert sorted(path.name for path in app.iterdir()) == [".venv", "requirements.txt"]


@pytest.mark.store("cold")
def test_a_deleted_environment_is_recreated_without_the_network(isolate, application, index):
    app = application({"requirements.txt": "beta==1.0\nalpha==1.0\n"})
    isolate("sync", cwd=app)
    (app / ".venv").rename(app.parent / "gone")
    asked = len(index.requests)
    isolate("sync", "--offline", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0", "beta": "1.0"}
    assert len(index.requests) == asked


@pytest.mark.store("cold")
def test_nothing_is_fetched_twice_for_two_applications(isolate, application, index):
    one = application({"requirements.txt": "alpha==1.0\n"}, name="one")
    two = application({"requirements.txt": "alpha==1.0\ndelta==1.0\n"}, name="two")
    isolate("sync", one)
    before = len(index.fetched())
    isolate("sync", two)
    assert "alpha-1.0-py3-none-any.whl" in index.fetched()[:before]
    fetched_to_install = index.fetched()[-1:]
    assert fetched_to_install == ["delta-1.0-py3-none-any.whl"]


def test_files_are_shared_between_environments(isolate, application, index):
    one = application({"requirements.txt": "alpha==1.0\n"}, name="one")
    two = application({"requirements.txt": "alpha==1.0\n"}, name="two")
    isolate("sync", "--link-mode", "hardlink", one, two)
    inodes = {next(app.glob(".venv/lib/*/site-packages/alpha/__init__.py")).stat().st_ino for app in (one, two)}
    assert len(inodes) == 1


@pytest.mark.parametrize("mode", ["copy", "auto"])
def test_all_link_modes_give_the_same_environment(isolate, application, index, mode):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", "--link-mode", mode, cwd=app)
    module = next(app.glob(".venv/lib/*/site-packages/alpha/__init__.py"))
    assert inconsistencies(app / ".venv") == []
    assert isolate("check", cwd=app).out.startswith("OK")
    if mode == "copy":
        assert module.stat().st_nlink == 1


def links_of_alpha(app):
    return next(app.glob(".venv/lib/*/site-packages/alpha/__init__.py")).stat().st_nlink


def test_an_environment_is_recreated_for_a_different_link_mode_and_keeps_it(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", "--link-mode", "hardlink", cwd=app)
    assert links_of_alpha(app) > 1
    assert "recreated .venv: link mode hardlink → copy" in isolate("sync", "--link-mode", "copy", cwd=app).out
    assert links_of_alpha(app) == 1
    assert "nothing to do" in isolate("sync", "--link-mode", "copy", cwd=app).out
    assert "nothing to do" in isolate("sync", cwd=app).out
    application({"requirements.txt": "alpha==1.1\n"})
    assert "recreated" not in isolate("sync", cwd=app).out
    assert links_of_alpha(app) == 1


def test_a_declared_link_mode_counts_as_requested(isolate, application, index):
    text = '[project]\nname = "app"\nversion = "1"\ndependencies = ["alpha==1.0"]\n'
    app = application({"pyproject.toml": text})
    isolate("sync", "--link-mode", "hardlink", cwd=app)
    application({"pyproject.toml": f'{text}[tool.isolate]\nlink-mode = "copy"\n'})
    findings = isolate("check", cwd=app, status=1).out
    assert "options changed: link mode hardlink → copy" in findings
    assert "link mode hardlink → copy" in isolate("sync", cwd=app).out
    assert links_of_alpha(app) == 1
    assert "nothing to do" in isolate("sync", cwd=app).out


def test_a_record_without_a_link_mode_is_read(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    record = app / ".venv/.isolate/state.json"
    resign(record, lambda table: table.pop("link_mode"))
    assert "nothing to do" in isolate("sync", "--no-dev", cwd=app).out
    assert "link mode auto → copy" in isolate("sync", "--link-mode", "copy", cwd=app).out


@pytest.mark.store("cold")
def test_groups_and_extras_are_installed_on_request(isolate, application, index):
    text = """
[project]
name = "app"
version = "1"
dependencies = ["alpha==1.0"]
[project.optional-dependencies]
fast = ["gamma"]
[dependency-groups]
dev = ["delta"]
docs = [{ include-group = "dev" }, "beta"]
"""
    app = application({"pyproject.toml": text})
    isolate("sync", cwd=app)
    assert set(versions(app / ".venv")) == {"alpha", "delta"}
    isolate("sync", "--no-dev", cwd=app)
    assert set(versions(app / ".venv")) == {"alpha"}
    isolate("sync", "--extra", "fast", "--no-dev", cwd=app)
    assert set(versions(app / ".venv")) == {"alpha", "gamma"}
    isolate("sync", "--group", "docs", cwd=app)
    assert set(versions(app / ".venv")) == {"alpha", "beta", "delta"}
    isolate("sync", "--all-groups", "--no-dev", cwd=app)
    assert set(versions(app / ".venv")) == {"alpha", "beta", "delta"}
    assert "declared: dev, docs" in isolate("sync", "--group", "doc", cwd=app, status=2).err


@pytest.mark.store("cold")
def test_an_extra_of_a_package_is_locked_with_its_dependencies(isolate, application, index):
    app = application({"requirements.txt": "gamma==1.0\n"})
    isolate("sync", cwd=app)
    assert set(versions(app / ".venv")) == {"gamma"}
    application({"requirements.txt": "gamma[speed]==1.0\n"})
    isolate("sync", cwd=app)
    assert set(versions(app / ".venv")) == {"gamma", "delta"}


@pytest.mark.store("cold")
def test_dry_run_changes_nothing(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    result = isolate("sync", "--dry-run", cwd=app)
    assert "+ beta 2.0" in result.out
    assert "would write pylock.toml" in result.out
    assert [path.name for path in app.iterdir()] == ["requirements.txt"]


def test_inexact_keeps_undeclared_packages(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\ndelta==1.0\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", "--inexact", cwd=app)
    assert set(versions(app / ".venv")) == {"alpha", "delta"}
    isolate("sync", cwd=app)
    assert set(versions(app / ".venv")) == {"alpha"}


@pytest.fixture
def more_than_declared(isolate, application, index):
    """An application that declares alpha; its environment has delta too, once declared, and gamma, never declared."""
    app = application({"requirements.txt": "alpha==1.0\ndelta==1.0\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", "--inexact", cwd=app)
    isolate("run", "--no-sync", "--", "python", "-m", "pip", "install", "-q", "gamma==1.0", cwd=app)
    return app


def delete_template_file(app):
    (app / ".venv/pyvenv.cfg").unlink()


@pytest.mark.parametrize("more", [("--compile",), ()])
def test_inexact_keeps_undeclared_packages_in_a_recreated_environment(isolate, more_than_declared, more):
    app = more_than_declared
    if not more:
        delete_template_file(app)
    out = isolate("sync", "--inexact", *more, cwd=app).out
    assert "recreated .venv" in out
    assert not [line for line in out.splitlines() if line.startswith("- ")]
    assert versions(app / ".venv") == {"alpha": "1.0", "delta": "1.0", "gamma": "1.0"}
    assert inconsistencies(app / ".venv") == []
    isolate("run", "--", "python", "-c", "import alpha, delta, gamma", cwd=app)
    assert isolate("check", cwd=app).out.startswith("OK")
    assert "nothing to do" in isolate("sync", "--inexact", cwd=app).out
    assert {"- delta 1.0", "- gamma 1.0"} <= {*isolate("sync", cwd=app).out.splitlines()}


def test_inexact_keeps_a_manual_install_over_a_package_that_was_declared(isolate, more_than_declared):
    app = more_than_declared
    isolate("run", "--no-sync", "--", "python", "-m", "pip", "install", "-q", "-U", "beta==1.0", "alpha<2", cwd=app)
    build_wheel(app / "wheels", "delta", "1.1")
    wheel = str(next((app / "wheels").glob("*.whl")))
    isolate("run", "--no-sync", "--", "python", "-m", "pip", "install", "-q", wheel, cwd=app)
    delete_template_file(app)
    isolate("sync", "--inexact", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0", "beta": "1.0", "delta": "1.1", "gamma": "1.0"}
    assert inconsistencies(app / ".venv") == []
    assert isolate("run", "--", "python", "-c", "import delta; print(delta.__version__)", cwd=app).out == "1.1\n"


def test_packages_that_a_recreated_environment_lacks_are_listed(isolate, more_than_declared):
    app = more_than_declared
    delete_template_file(app)
    out = isolate("sync", "--dry-run", cwd=app).out
    assert {"- delta 1.0", "- gamma 1.0"} <= {*out.splitlines()}
    assert {"- delta 1.0", "- gamma 1.0"} <= {*isolate("sync", cwd=app).out.splitlines()}
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_packages_for_a_different_kind_of_interpreter_are_listed_and_removed(isolate, more_than_declared):
    app = more_than_declared
    state = app / ".venv/.isolate/state.json"
    replaced = {"implementation": "other", "identity": "that of a binary which was replaced"}
    resign(state, lambda table: table["interpreter"].update(replaced))
    out = isolate("sync", "--inexact", "--verify", cwd=app).out
    assert {"- delta 1.0", "- gamma 1.0"} <= {*out.splitlines()}
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_adopting_lists_removed_packages(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    shutil.rmtree(app / ".venv/.isolate")
    isolate("run", "--no-sync", "--", "python", "-m", "pip", "install", "-q", "gamma==1.0", "alpha==1.1", cwd=app)
    out = isolate("sync", "--adopt", cwd=app).out
    assert [line for line in out.splitlines() if line[0] in "+-~"] == ["~ alpha 1.1 → 1.0", "- gamma 1.0"]
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_locked_refuses_a_stale_or_missing_lock(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    assert "there is no lock" in isolate("sync", "--locked", cwd=app, status=2).err
    isolate("lock", cwd=app)
    isolate("sync", "--locked", cwd=app)
    application({"requirements.txt": "beta<2\n"})
    result = isolate("sync", "--locked", cwd=app, status=2)
    assert "beta<2 (requirements.txt:1) does not allow the locked beta 2.0" in result.err
    assert versions(app / ".venv")["beta"] == "2.0"


def test_frozen_uses_the_lock_without_checking_it(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": "beta<2\n"})
    isolate("sync", "--frozen", cwd=app)
    assert versions(app / ".venv")["beta"] == "2.0"


def test_upgrade_changes_everything_and_upgrade_package_one_package(isolate, application, index):
    app = application({"requirements.txt": "alpha\ndelta\n"})
    isolate("sync", cwd=app)
    build_wheel(index.directory, "alpha", "3.0")
    build_wheel(index.directory, "delta", "3.0")
    assert "nothing to do" in isolate("sync", cwd=app).out
    isolate("sync", "--upgrade-package", "alpha", cwd=app)
    assert versions(app / ".venv") == {"alpha": "3.0", "delta": "1.0"}
    isolate("sync", "--upgrade", cwd=app)
    assert versions(app / ".venv") == {"alpha": "3.0", "delta": "3.0"}


def test_a_changed_declaration_changes_only_what_it_must(isolate, application, index):
    app = application({"requirements.txt": "alpha\ndelta\n"})
    isolate("sync", cwd=app)
    build_wheel(index.directory, "delta", "3.0")
    application({"requirements.txt": "alpha<2\ndelta\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "delta": "1.0"}


def test_an_sdist_is_built_once_for_all_applications(isolate, application, index, tmp_path):
    log = tmp_path / "builds"
    build_sdist(index.directory, "sourced", "1.0", on_build=f"open({str(log)!r}, 'a').write('built ')")
    one = application({"requirements.txt": "sourced==1.0\n"}, name="one")
    two = application({"requirements.txt": "sourced==1.0\n"}, name="two")
    isolate("sync", one)
    built = log.read_text()
    isolate("sync", two)
    assert versions(two / ".venv") == {"sourced": "1.0"}
    assert log.read_text() == built


def test_an_application_that_is_a_package_is_installed_editable(isolate, application, index):
    app = application()
    build_tree(app, "shop", "1.0", requires=["alpha==1.0"])
    isolate("sync", cwd=app)
    assert set(versions(app / ".venv")) == {"shop", "alpha"}
    where = isolate("run", "--", "python", "-c", "import shop; print(shop.__file__)", cwd=app).out.strip()
    assert where == str(app / "src/shop/__init__.py")
    isolate("sync", "--no-install-project", cwd=app)
    assert set(versions(app / ".venv")) == {"alpha"}


def test_a_local_directory_is_installed_and_noticed_when_it_changes(isolate, application, index):
    app = application({"requirements.txt": "./lib\n"})
    build_tree(app / "lib", "lib", "1.0")
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"lib": "1.0"}
    assert "nothing to do" in isolate("sync", cwd=app).out
    build_wheel(app / "lib/prebuilt", "lib", "1.0", files={"lib/__init__.py": "answer = 42\n"})
    isolate("sync", cwd=app)
    assert isolate("run", "--", "python", "-c", "import lib; print(lib.answer)", cwd=app).out.endswith("42\n")


def test_bytecode_is_compiled_on_request_and_kept(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", "--compile", cwd=app)
    compiled = list(app.glob(".venv/lib/*/site-packages/alpha/__pycache__/*.pyc"))
    assert len(compiled) == 1
    code = "import alpha, sys; print(alpha.__cached__)"
    isolate("run", "--", sys.executable, "-c", "pass", cwd=app)
    assert isolate("run", "--", "python", "-v", "-c", code, cwd=app).err.count("alpha/__pycache__") >= 1
    application({"requirements.txt": "alpha==1.1\n"})
    isolate("sync", cwd=app)
    assert len(list(app.glob(".venv/lib/*/site-packages/alpha/__pycache__/*.pyc"))) == 1


def test_the_result_is_also_a_json_document(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    document = json.loads(isolate("sync", "--json", cwd=app).out)
    assert document["isolate"] == 1
    assert document["changes"] == [{"action": "add", "name": "alpha", "old": None, "new": "1.0"}]
    assert document["packages"] == 1
    assert json.loads(isolate("sync", "--json", cwd=app).out)["up_to_date"] is True


def test_the_users_own_files_are_kept_when_a_package_changes(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    package = next(app.glob(".venv/lib/*/site-packages/alpha"))
    (package / "downloaded.bin").write_text("mine")
    (app / ".venv/share").mkdir()
    (app / ".venv/share/kernel.json").write_text("mine too")
    application({"requirements.txt": "alpha==1.1\n"})
    isolate("sync", cwd=app)
    assert (package / "downloaded.bin").read_text() == "mine"
    assert (app / ".venv/share/kernel.json").read_text() == "mine too"
    assert versions(app / ".venv") == {"alpha": "1.1"}


def test_a_manual_install_is_noticed_and_removed(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    isolate("run", "--", "python", "-m", "pip", "install", "-q", "delta==1.0", "alpha==2.0", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0", "delta": "1.0"}
    result = isolate("sync", cwd=app)
    assert "- delta 1.0" in result.out
    assert "~ alpha 2.0 → 1.0" in result.out
    assert versions(app / ".venv") == {"alpha": "1.0"}
    assert inconsistencies(app / ".venv") == []


def test_a_lock_alone_is_enough(isolate, application, index):
    one = application({"requirements.txt": "beta\n"}, name="one")
    isolate("lock", one)
    two = application({"pylock.toml": (one / "pylock.toml").read_text()}, name="two")
    assert "read pylock.toml" in isolate("sync", cwd=two).out
    assert versions(two / ".venv") == {"alpha": "2.0", "beta": "2.0"}


def test_a_directory_with_spaces_and_quotes_in_its_name_works(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"}, name='it\'s a "test" $HOME')
    isolate("sync", cwd=app)
    assert isolate("run", "--", "alpha", cwd=app).out == "alpha 1.0\n"
    activated = '. "$VENV/bin/activate" && python -c "import alpha; print(alpha.__version__)"'
    environ = {**os.environ, "VENV": str(app / ".venv")}
    assert isolate("run", "--no-sync", "--", "sh", "-c", activated, cwd=app, env=environ).out == "1.0\n"


def test_activation_scripts_and_pyvenv_cfg_name_this_environment(isolate, application, index):
    app = application({"requirements.txt": ""})
    isolate("sync", cwd=app)
    # Python 3.10 does not write the command into pyvenv.cfg.
    commands = re.findall("^command = .*", (app / ".venv/pyvenv.cfg").read_text(), re.MULTILINE)
    assert all(command.endswith(f"--without-pip {app}/.venv") for command in commands)
    assert commands or sys.version_info < (3, 11)
    script = f'. {app}/.venv/bin/activate && echo "$VIRTUAL_ENV" && command -v python'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{app}/.venv", f"{app}/.venv/bin/python"]


@pytest.mark.store("cold")
def test_index_options_of_a_requirements_file_are_used(isolate, application, index, monkeypatch):
    monkeypatch.delenv("PIP_INDEX_URL")
    app = application({"requirements.txt": f"--index-url {index.url}\nalpha==1.0\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_constraints_and_includes_are_used(isolate, application, index):
    files = {
        "requirements.txt": "-r more/base.txt\n-c limits.txt\n",
        "more/base.txt": "beta\n",
        "limits.txt": "alpha<2\n",
    }
    app = application(files)
    result = isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "beta": "1.0"}
    assert "read requirements.txt, more/base.txt, limits.txt" in result.out


@pytest.mark.store("cold")
def test_upgraded_versions_are_kept_when_the_environment_is_deleted(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    build_wheel(index.directory, "alpha", "1.0", files={"alpha/__init__.py": "rebuilt = True\n"})
    isolate("sync", "--upgrade", cwd=app)
    shutil.rmtree(app / ".venv")
    isolate("sync", cwd=app)
    isolate("run", "--no-sync", "--", "python", "-c", "import alpha; assert alpha.rebuilt", cwd=app)


@pytest.mark.store("cold")
def test_an_older_lock_does_not_replace_the_versions_of_a_later_upgrade(isolate, application, index):
    first, second, third = (application({"requirements.txt": "alpha==1.0\n"}, name=name) for name in ("a", "b", "c"))
    isolate("sync", cwd=first)
    isolate("sync", cwd=second)
    build_wheel(index.directory, "alpha", "1.0", files={"alpha/__init__.py": "rebuilt = True\n"})
    isolate("sync", "--upgrade", cwd=second)
    isolate("sync", "--verify", cwd=first)
    isolate("sync", cwd=third)
    isolate("run", "--no-sync", "--", "python", "-c", "import alpha; assert alpha.rebuilt", cwd=third)
