"""What pip's settings demand counts: constraints, a hash for each requirement, and no upload after a day."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from functools import partial

import pytest

from conftest import versions
from isolate.declarations.read import read_declarations
from isolate.errors import DeclarationError, InvalidConfiguration
from isolate.pip.user_demands import with_user_demands
from kit.packages import build_sdist, build_wheel

NOTHING_TO_DO = "up to date"


@pytest.fixture
def constraints(tmp_path):
    """Return a function that writes the user's constraints file, and returns its path."""

    def write(text):
        path = tmp_path / "elsewhere/constraints.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture(params=["variable", "PIP_CONFIG_FILE", "user", "site"])
def set_constraint(request, application, isolated_home, tmp_path, monkeypatch):
    """Return a function that sets the option `constraint` in one of the places that pip reads."""

    def set_constraint(path):
        if request.param == "variable":
            return monkeypatch.setenv("PIP_CONSTRAINT", str(path))
        files = {
            "PIP_CONFIG_FILE": tmp_path / "pip.conf",
            "user": isolated_home / ".config/pip/pip.conf",
            "site": tmp_path / "xdg/pip/pip.conf",
        }
        file = files[request.param]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"[install]\nconstraint = {path}\n")
        monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "xdg"))
        if request.param == "PIP_CONFIG_FILE":
            return monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
        return monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)

    return set_constraint


def test_a_constraint_of_pips_settings_counts_and_its_change_is_noticed(
    isolate, application, index, constraints, set_constraint
):
    app = application({"requirements.txt": "alpha\n"})
    isolate("sync", cwd=app)
    set_constraint(constraints("alpha<2\n"))
    assert "out of date" in isolate("sync", "--locked", cwd=app, status=2).err
    isolate("sync", cwd=app)
    assert versions(app / ".venv")["alpha"] == "1.1"
    isolate("check", cwd=app)
    constraints("alpha<1.1\n")
    assert isolate("check", cwd=app, status=1)
    isolate("sync", cwd=app)
    assert versions(app / ".venv")["alpha"] == "1.0"


def test_a_constraint_for_other_packages_leaves_nothing_to_do(isolate, application, index, constraints, monkeypatch):
    app = application({"requirements.txt": "alpha\n"})
    monkeypatch.setenv("PIP_CONSTRAINT", str(constraints("beta<2\n")))
    isolate("sync", cwd=app)
    first = (app / "pylock.toml").read_bytes()
    isolate("sync", cwd=app)
    assert (app / "pylock.toml").read_bytes() == first


def test_several_files_and_what_they_include_count(application, tmp_path):
    for name, text in {"a.txt": "-c more/b.txt\n", "more/b.txt": "beta<2\n", "c.txt": "gamma<2\n"}.items():
        (tmp_path / "user" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "user" / name).write_text(text)
    app = application({"requirements.txt": "-c own.txt\nalpha\n", "own.txt": "alpha<2\n"})
    environ = {"PIP_CONSTRAINT": f"{tmp_path}/user/a.txt file://{tmp_path}/user/c.txt", "PIP_CONFIG_FILE": "/dev/null"}
    declarations = with_user_demands(read_declarations(app), environ, app / ".venv")
    assert [declared.text for declared in declarations.constraints] == ["alpha<2", "beta<2", "gamma<2"]
    assert {"a.txt", "b.txt", "c.txt"} <= {file.name for file in declarations.files}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("/nowhere/c.txt", "the constraints file /nowhere/c.txt of pip's settings does not exist"),
        ("HTTPS://user:s3cr3t@host/c.txt", "curl -fLo constraints.txt"),
    ],
)
def test_a_constraint_that_cannot_be_read_is_refused(application, value, message):
    app = application({"requirements.txt": "alpha\n"})
    environ = {"PIP_CONSTRAINT": value, "PIP_CONFIG_FILE": "/dev/null"}
    with pytest.raises(InvalidConfiguration) as error:
        with_user_demands(read_declarations(app), environ, app / ".venv")
    assert message in str(error.value)
    assert "s3cr3t" not in str(error.value)


def test_a_pin_that_a_constraint_excludes_is_an_error(isolate, application, index, constraints):
    app = application({"requirements.txt": "alpha==2.0\n"})
    message = isolate("sync", cwd=app, status=2, env={"PIP_CONSTRAINT": str(constraints("alpha<2\n"))}).err
    assert "conflicting requirements for alpha" in message
    assert "constraints.txt:1" in message


def test_an_error_of_a_constraint_says_where_it_is_named(application, constraints):
    app = application({"requirements.txt": "alpha==2.0\n"})
    environ = {"PIP_CONSTRAINT": str(constraints("alpha=<2\n")), "PIP_CONFIG_FILE": "/dev/null"}
    with pytest.raises(DeclarationError, match=r"constraints\.txt:1"):
        with_user_demands(read_declarations(app), environ, app / ".venv")


def test_require_hashes_of_pips_settings_counts(isolate, application, index):
    environ = {"PIP_REQUIRE_HASHES": "yes"}
    app = application({"requirements.txt": "alpha==2.0\n"})
    assert "every requirement needs a hash" in isolate("sync", cwd=app, status=2, env=environ).err
    digest = hashlib.sha256((index.directory / "alpha-2.0-py3-none-any.whl").read_bytes()).hexdigest()
    application({"requirements.txt": f"alpha==2.0 --hash=sha256:{digest}\n"})
    isolate("sync", cwd=app, env=environ)
    assert versions(app / ".venv") == {"alpha": "2.0"}


@pytest.fixture
def dated_index(tmp_path):
    """Serve files through a JSON page (PEP 691, PEP 700), with the upload times that the test sets, by file name."""
    directory, times = tmp_path / "dated", {}
    directory.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if not self.path.startswith("/simple/"):
                super().do_GET()
                return
            project = self.path.removeprefix("/simple/").strip("/")
            files = [self.described(file) for file in sorted(directory.glob(f"{project}-*.*"))]
            body = json.dumps({"meta": {"api-version": "1.1"}, "name": project, "files": files}).encode()
            self.send_response(200 if files else 404)
            self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def described(self, file):
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            time = times.get(file.name, "2020-01-01T00:00:00Z")
            return {"filename": file.name, "url": f"/{file.name}", "hashes": {"sha256": digest}, "upload-time": time}

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(directory)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield directory, times, f"http://127.0.0.1:{server.server_address[1]}/simple/"
    server.shutdown()
    server.server_close()


def test_uploaded_prior_to_chooses_among_what_there_was(isolate, application, dated_index):
    directory, times, url = dated_index
    for version in ("1.0", "2.0"):
        build_wheel(directory, "alpha", version)
        build_wheel(directory, "tool", version)
    build_sdist(
        directory, "built", "1.0", build_requires=["tool"], on_build="import tool; assert tool.__version__ < '2'"
    )
    times |= {f"{name}-2.0-py3-none-any.whl": "2026-01-01T00:00:00Z" for name in ("alpha", "tool")}
    app = application({"requirements.txt": "alpha\nbuilt\n"})
    environ = {"PIP_INDEX_URL": url, "PIP_UPLOADED_PRIOR_TO": "2025-01-01T00:00:00Z"}
    isolate("sync", cwd=app, env=environ)
    assert versions(app / ".venv") == {"alpha": "1.0", "built": "1.0"}
    isolate("check", cwd=app, env=environ)
