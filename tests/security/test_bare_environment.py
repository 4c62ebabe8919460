"""The code in one application's environment changes nothing that another application gets from the store."""

from __future__ import annotations

import os
import sys
import textwrap

import pytest

from conftest import SOURCE, versions
from kit.packages import build_sdist

HOOK = """
import os, sys
with open({log!r}, "a") as file:
    file.write(f"{{sys.argv}}\\n")
try:
    from pip._internal.operations.install import wheel
except ImportError:  # a build, or pip's own start
    pass
else:
    original = wheel.install_wheel
    def install_wheel(name, wheel_path, scheme, *args, **kwargs):
        original(name, wheel_path, scheme, *args, **kwargs)
        with open(os.path.join(scheme.purelib, "hostile.py"), "w"):
            pass
    wheel.install_wheel = install_wheel
"""


@pytest.fixture
def hostile(isolate, application, index, tmp_path):
    """Return an application whose environment runs code in every Python that starts there, and the file it logs to."""
    app = application({"requirements.txt": "delta==1.0\n"}, name="hostile")
    isolate("sync", cwd=app)
    site = next(app.glob(".venv/lib/*/site-packages"))
    log = tmp_path / "hostile.log"
    (site / "hostile_hook.py").write_text(HOOK.format(log=str(log)))
    (site / "hostile.pth").write_text("import hostile_hook\n")
    (site / "sitecustomize.py").write_text("import hostile_hook\n")
    isolate("run", "--no-sync", "--", "python", "-c", "", cwd=app)
    assert log.exists(), "the hook does not work"
    log.unlink()
    return app, log


def declare(app, text):
    (app / "requirements.txt").write_text(text)


def test_installs_and_builds_run_no_code_of_the_environment(isolate, application, index, hostile):
    app, log = hostile
    build_sdist(index.directory, "sigma", "1.0")
    declare(app, "delta==1.0\nalpha==1.0\nsigma==1.0\n")
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"delta": "1.0", "alpha": "1.0", "sigma": "1.0"}
    assert not log.exists()
    other = application({"requirements.txt": "alpha==1.0\nsigma==1.0\n"}, name="other")
    isolate("sync", "--offline", cwd=other)
    assert not list(other.rglob("hostile*"))


def test_a_resolution_runs_no_code_of_the_environment(isolate, hostile):
    app, log = hostile
    declare(app, "delta\nbeta\n")
    isolate("lock", cwd=app)
    assert not log.exists()
    isolate("sync", cwd=app)
    assert not log.exists()


def test_compilation_and_local_builds_run_no_code_of_the_environment(isolate, hostile, index, tmp_path):
    app, log = hostile
    build_sdist(tmp_path / "source", "tau", "1.0")
    declare(app, f"delta==1.0\nalpha==1.0\ntau @ {(tmp_path / 'source/trees/tau-1.0').as_uri()}\n")
    isolate("sync", "--compile", cwd=app)
    isolate("rollback", cwd=app)
    assert not log.exists()


def test_pip_is_not_that_of_the_environment(isolate, application, index, hostile):
    app, _ = hostile
    main = next(app.glob(".venv/lib/*/site-packages/pip/__main__.py"))
    content = main.read_bytes()
    main.unlink()
    main.write_bytes(b"raise SystemExit('hostile')\n".ljust(len(content)))
    os.utime(main, ns=(0, 0))
    declare(app, "delta==1.0\nalpha==1.0\n")
    isolate("sync", cwd=app)
    assert "alpha" in versions(app / ".venv")


def test_what_a_build_installs_beside_pip_is_gone_for_the_next_application(isolate, application, index):
    """Some projects run `pip install` in setup.py, or write a `.pth` file below `sys.prefix`."""
    leave = """
        import pathlib, sysconfig
        site = pathlib.Path(sysconfig.get_path("purelib"))
        assert [path for path in site.glob("*.pth") if path.stem != {name!r}] == [], "left by another build"
        (site / "{name}.pth").write_text("")
    """
    for name in ("upsilon", "omega"):
        build_sdist(index.directory, name, "1.0", on_build=textwrap.dedent(leave).format(name=name))
        app = application({"requirements.txt": f"{name}==1.0\n"}, name=name)
        isolate("sync", cwd=app)
        assert not list(app.rglob("*.pth"))


def test_variables_of_python_reach_neither_pip_nor_builds(isolate, application, index, tmp_path):
    names = ("PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONWARNINGS", "PYTHONSAFEPATH")
    build_sdist(
        index.directory, "sigma", "1.0", on_build=VARIABLES.format(names=names, directory=str(tmp_path / "mine"))
    )
    environ = {name: str(tmp_path / "mine") for name in names} | {"PYTHONPATH": f"{SOURCE}:{tmp_path / 'mine'}"}
    app = application({"requirements.txt": "sigma==1.0\n"})
    isolate("sync", cwd=app, env={**environ, "PYTHONWARNINGS": "ignore"})


VARIABLES = """
import os, sys
assert not set({names!r}) & set(os.environ)
assert {directory!r} not in os.environ.get("PYTHONPATH", "") + str(sys.path)
"""


def test_modules_of_the_user_reach_neither_pip_nor_builds(isolate, application, index, isolated_home, tmp_path):
    site = isolated_home / f".local/lib/python3.{sys.version_info[1]}/site-packages"
    site.mkdir(parents=True)
    log = tmp_path / "user.log"
    (site / "usercustomize.py").write_text(f"open({str(log)!r}, 'a').write('x')\n")
    (site / "user.pth").write_text("import usercustomize\n")
    build_sdist(index.directory, "sigma", "1.0")
    app = application({"requirements.txt": "sigma==1.0\ndelta\n"})
    isolate("sync", cwd=app)
    assert not log.exists()


def test_programs_of_an_active_environment_serve_neither_pip_nor_builds(isolate, application, index, hostile):
    """`source .venv/bin/activate` puts them first on PATH, where a build looks for a compiler, and pip for git."""
    app, log = hostile
    program = app / ".venv/bin/cc-of-the-environment"
    program.write_text(f"#!/bin/sh\necho ran > {log}\n")
    program.chmod(0o755)
    run = "import subprocess; subprocess.run(['cc-of-the-environment'], check=False)"
    build_sdist(index.directory, "sigma", "1.0", on_build=f"try:\n    {run}\nexcept FileNotFoundError:\n    pass\n")
    other = application({"requirements.txt": "sigma==1.0\n"}, name="other")
    isolate("sync", cwd=other, env={"PATH": f"{app}/.venv/bin/:{os.environ['PATH']}"})
    assert versions(other / ".venv") == {"sigma": "1.0"}
    assert not log.exists()
