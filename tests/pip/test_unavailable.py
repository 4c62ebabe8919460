"""Why no file of a package can be used is told as it is, by the pip of a real sync."""

from __future__ import annotations

import http.server
import json
import threading

import pytest

from kit.packages import build_sdist, build_wheel

HERE = "py3-none-any"
OTHER = "cp39-cp39-win_amd64"


@pytest.fixture
def failing(isolate, application):
    """Return a function that syncs requirements which cannot be met, and returns the message."""

    def failing(requirements, **variables):
        app = application({"requirements.txt": requirements})
        message = isolate("sync", cwd=app, status=2, env=variables).err
        assert len(message.splitlines()) <= 12
        assert "check the spelling" not in message
        return message

    return failing


@pytest.mark.parametrize("requirement", ["native", "native==1.0", "native>=0.9"])
def test_no_file_for_this_python_or_platform(failing, index, requirement):
    build_wheel(index.directory, "native", "1.0", tag=OTHER)
    message = failing(f"{requirement}\n")
    assert f"{requirement} has no file for this Python and platform" in message
    assert f"for others: native-1.0-{OTHER}.whl" in message
    assert "the application uses Python 3." in message
    assert f"{requirement} (requirements.txt:1)" in message


def test_a_version_that_is_not_there_is_not_blamed_on_the_platform(failing, index):
    build_wheel(index.directory, "native", "1.0", tag=OTHER)
    build_wheel(index.directory, "native", "0.9", tag=HERE)
    message = failing("native==2.0\n")
    assert "native==2.0 does not exist" in message
    assert "available: 0.9" in message


def test_the_package_that_needs_it_is_named(failing, index):
    build_wheel(index.directory, "native", "1.0", tag=OTHER)
    build_wheel(index.directory, "parent", "1.0", requires=["native"])
    assert "needed by parent (requirements.txt:1)" in failing("parent\n")


def test_another_python_and_who_needs_it(failing, index):
    build_wheel(index.directory, "newer", "1.0", requires_python=">=3.99")
    build_wheel(index.directory, "parent", "1.0", requires=["newer"])
    message = failing("parent\n")
    assert "newer requires a different Python" in message
    assert "newer requires Python >=3.99" in message
    assert "needed by parent (requirements.txt:1)" in message


def test_versions_of_another_package_for_another_python_are_not_blamed(isolate, application, index):
    build_wheel(index.directory, "mixed", "0.9", requires_python="<3")
    build_wheel(index.directory, "mixed", "1.0")
    app = application({"requirements.txt": "mixed\nghost\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert "package ghost was not found" in message
    assert f"{index.url}ghost/ answered 404" in message
    assert "Python" not in message


@pytest.mark.parametrize("how", ["setting", "declared"])
@pytest.mark.parametrize(("option", "what"), [("only-binary", "built-1.0.tar.gz"), ("no-binary", "alpha-2.0-py3")])
def test_excluded_by_an_option(failing, index, option, what, how):
    build_sdist(index.directory, "built", "1.0")
    name = what.partition("-")[0]
    line, variable = f"--{option} {name}\n", {f"PIP_{option.upper().replace('-', '_')}": name}
    message = failing(f"{line if how == 'declared' else ''}{name}\n", **(variable if how == "setting" else {}))
    assert f"{name} is excluded by --{option}" in message
    assert what in message


@pytest.mark.parametrize(("versions", "requirement"), [(["1.0"], "yank"), (["1.0", "1.1"], "yank>=1")])
def test_yanked(failing, index, json_index, versions, requirement):
    files = [{"filename": f"yank-{version}-{HERE}.whl", "yanked": "broken"} for version in versions]
    message = failing(f"{requirement}\n", PIP_INDEX_URL=json_index(files))
    assert f"{requirement} has been yanked" in message
    assert f"yanked: {', '.join(versions)}" in message


def test_uploaded_too_late(failing, index, json_index):
    files = [{"filename": f"late-1.0-{HERE}.whl", "upload-time": "2026-01-01T00:00:00Z"}]
    url = json_index(files)
    message = failing("late\n", PIP_INDEX_URL=url, PIP_UPLOADED_PRIOR_TO="2025-01-01T00:00:00Z")
    assert "late was uploaded too late" in message


@pytest.fixture
def json_index():
    """Return a function that serves a page in JSON (PEP 691) with *files*, whatever is asked for, and no file."""
    servers = []

    def serve(files):
        listed = [{"url": file["filename"], "hashes": {}, **file} for file in files]
        body = json.dumps({"meta": {"api-version": "1.1"}, "files": listed})

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/simple/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_invalid_metadata(failing, index):
    build_wheel(index.directory, "broken", "1.0", requires=["alpha (>=1.0.*)"])
    message = failing("broken==1.0\n")
    assert "broken==1.0 has invalid metadata" in message
    assert "alpha (>=1.0.*)" in message or "suffix can only be used" in message


def test_a_project_without_files(isolate, application, index, json_index):
    url = json_index([])
    app = application({"requirements.txt": "empty\n"})
    message = isolate("sync", cwd=app, status=2, env={"PIP_INDEX_URL": url}).err
    assert "package empty was not found" in message
    assert f"{url}empty/ lists no file" in message
