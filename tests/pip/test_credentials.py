"""Credentials for a private index, or for a file on a server, work and stay where the user put them."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from conftest import versions
from isolate.declarations.read import read_declarations
from kit.index import LocalIndex
from kit.packages import build_tree, build_wheel

USER = "me:opensesame"
SECRET = "opensesame"


@pytest.fixture
def private(tmp_path):
    """Serve two versions of a package to clients that send the password."""
    for version in ("1.0", "2.0"):
        build_wheel(tmp_path / "private", "alpha", version)
    with LocalIndex(tmp_path / "private", credentials=USER).serving() as serving:
        yield serving


def url_of(file, server, user=USER):
    """Return the URL of *file* on *server*, with *user* as credentials."""
    return f"{server.url.replace('://', f'://{user}@').removesuffix('simple/')}files/{file}"


def output_of(isolate, *arguments, **more):
    result = isolate(*arguments, **more)
    return result.out + result.err


INVALID = {
    "an include of a URL": "-r https://${USER}@example.org/base.txt\n",
    "not a requirement": "alpha @@ https://${USER}@example.org/alpha-1.0.whl\n",
    "a variable, not in a requirement": "alpha at ${USER}\n",
    "an invalid URL": "alpha @ https://${USER}@[example.org/alpha-1.0.whl\n",
    "an invalid URL without a name": "https://${USER}@[example.org/alpha-1.0.whl\n",
    "an unknown option": "--frobnicate https://me:opensesame@example.org\n",
    "an include of a URL without variables": "-r https://me:opensesame@example.org/base.txt\n",
}


@pytest.mark.parametrize("case", INVALID)
def test_an_error_about_a_declaration_hides_credentials(isolate, application, case):
    app = application({"requirements.txt": INVALID[case]})
    for arguments in (["sync"], ["sync", "--all"], ["check", "--json"]):
        assert SECRET not in output_of(isolate, *arguments, cwd=app, status=None, env={"USER": USER})


def test_a_finding_hides_credentials(isolate, application, index, private):
    app = application({"requirements.txt": "delta==1.0\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": f"alpha @ {url_of('alpha-1.0-py3-none-any.whl', private)}\n"})
    for arguments in (["check"], ["check", "--json"], ["sync", "--locked"], ["lock", "--check"]):
        output = output_of(isolate, *arguments, cwd=app, status=None)
        assert "alpha @ http" in output or arguments[0] == "lock"
        assert SECRET not in output


def test_the_page_about_conflicts_hides_credentials(isolate, application, private, tmp_path):
    for version in ("1.0", "2.0"):
        where = url_of(f"alpha-{version}-py3-none-any.whl", private)
        app = application({"requirements.txt": f"alpha @ {where}\n"}, name=f"repo/{version}")
        isolate("lock", cwd=app)
    root = application({"pyproject.toml": '[tool.isolate]\napplications = ["*"]\n'}, name="repo")
    page = tmp_path / "page.html"
    output = output_of(isolate, "conflicts", "--html", page, cwd=root, status=None)
    output += output_of(isolate, "conflicts", "--json", cwd=root, status=None) + page.read_text()
    assert "alpha @ http" in output
    assert SECRET not in output


@pytest.mark.parametrize("name", ["PIP_USER_TOKEN", "PYTHON_TOKEN", "TOKEN"])
@pytest.mark.parametrize("line", ["--index-url {index}\nalpha==1.0\n", "alpha @ {file}\n"])
def test_a_variable_of_any_name_is_replaced(isolate, application, private, name, line):
    user = f"${{{name}}}"
    index, file = private.url.replace("://", f"://{user}@"), url_of("alpha-1.0-py3-none-any.whl", private, user)
    app = application({"requirements.txt": line.format(index=index, file=file)})
    isolate("sync", cwd=app, env={name: USER})
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_an_empty_variable_is_not_replaced(tmp_path):
    (tmp_path / "requirements.txt").write_text("alpha @ https://${TOKEN}@example.org/alpha-1.0.whl\n")
    assert read_declarations(tmp_path, {"TOKEN": ""}).requirements[0].url.startswith("https://${TOKEN}@")


PROJECT = '[project]\nname = "a"\ndependencies = ["alpha @ {variable}"]\n'
DECLARED = {
    "literally": ({"requirements.txt": "alpha @ {literal}\n"}, {}),
    "by a variable": ({"requirements.txt": "alpha @ {variable}\n"}, {"TOKEN": USER}),
    "beside an index option": ({"requirements.txt": "--pre\nalpha @ {literal}#sha256={digest}\n"}, {}),
    "without a name": ({"requirements.txt": "{literal}\n"}, {}),
    "in a project": ({"pyproject.toml": PROJECT}, {"TOKEN": USER}),
}


@pytest.mark.parametrize("how", DECLARED)
def test_a_url_with_credentials_is_installed_and_no_other_file_gets_them(isolate, application, private, cache, how):
    files, environ = DECLARED[how]
    wheel = "alpha-1.0-py3-none-any.whl"
    digest = hashlib.sha256((private.directory / wheel).read_bytes()).hexdigest()
    where = {"literal": url_of(wheel, private), "variable": url_of(wheel, private, "${TOKEN}"), "digest": digest}
    app = application({name: text.format(**where) for name, text in files.items()})
    output = output_of(isolate, "sync", "-v", cwd=app, env=environ)
    assert versions(app / ".venv") == {"alpha": "1.0"}
    output += output_of(isolate, "check", cwd=app, env=environ)
    assert SECRET not in output
    assert files_with_the_password(app, cache) == [app / name for name in files if "{literal}" in files[name]]


@pytest.mark.parametrize("options", ["", "--pre\n"])
def test_a_repository_with_credentials_is_installed_and_no_other_file_gets_them(
    isolate, application, cache, tmp_path, options
):
    tree = build_tree(tmp_path / "tree", "alpha", "1.0")
    for line in ("init -q", "add .", "-c user.name=a -c user.email=a@b commit -qm one", "tag v1"):
        subprocess.run(["git", *line.split()], cwd=tree, check=True)
    bare = tmp_path / "private/alpha.git"
    subprocess.run(["git", "clone", "-q", "--bare", tree, bare], check=True)
    subprocess.run(["git", "update-server-info"], cwd=bare, check=True)
    with LocalIndex(tmp_path / "private", credentials=USER).serving() as server:
        app = application({"requirements.txt": f"{options}alpha @ git+{url_of('alpha.git', server)}@v1\n"})
        output = output_of(isolate, "sync", "-v", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}
    assert SECRET not in output
    assert files_with_the_password(app, cache) == [app / "requirements.txt"]


def files_with_the_password(*directories):
    """Return the files below *directories* that contain the password."""
    files = [path for directory in directories for path in directory.rglob("*") if path.is_file()]
    return [path for path in files if SECRET.encode() in path.read_bytes()]


def test_an_invalid_url_in_a_project_is_an_error(isolate, application, index):
    text = '[project]\nname = "a"\nversion = "1"\ndependencies = ["alpha @ https://me:opensesame@[x/alpha-1.0.whl"]\n'
    app = application({"pyproject.toml": text})
    assert SECRET not in output_of(isolate, "sync", cwd=app, status=2)
