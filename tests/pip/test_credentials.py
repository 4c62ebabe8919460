"""What opens a private index, or one file on a server, stays where the user put it, and opens it nevertheless."""

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
    """Serve two versions of a package to whoever knows the password."""
    for version in ("1.0", "2.0"):
        build_wheel(tmp_path / "private", "alpha", version)
    with LocalIndex(tmp_path / "private", credentials=USER).serving() as serving:
        yield serving


def address(server, file, user=USER):
    """Return where *server* has *file*, for *user*."""
    return f"{server.url.replace('://', f'://{user}@').removesuffix('simple/')}files/{file}"


def said(isolate, *arguments, **more):
    result = isolate(*arguments, **more)
    return result.out + result.err


BLOCKED_OPTIONS = {
    "an include by address": "-r https://${USER}@example.org/base.txt\n",
    "no requirement": "alpha @@ https://${USER}@example.org/alpha-1.0.whl\n",
    "a variable in no requirement": "alpha at ${USER}\n",
    "no address": "alpha @ https://${USER}@[example.org/alpha-1.0.whl\n",
    "no address alone": "https://${USER}@[example.org/alpha-1.0.whl\n",
    "no option": "--frobnicate https://me:opensesame@example.org\n",
    "a literal include": "-r https://me:opensesame@example.org/base.txt\n",
}


@pytest.mark.parametrize("case", BLOCKED_OPTIONS)
def test_no_refusal_of_a_declaration_tells_credentials(isolate, application, case):
    app = application({"requirements.txt": BLOCKED_OPTIONS[case]})
    for arguments in (["sync"], ["sync", "--all"], ["check", "--json"]):
        assert SECRET not in said(isolate, *arguments, cwd=app, status=None, env={"USER": USER})


def test_no_finding_tells_credentials(isolate, application, index, private):
    app = application({"requirements.txt": "delta==1.0\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": f"alpha @ {address(private, 'alpha-1.0-py3-none-any.whl')}\n"})
    for arguments in (["check"], ["check", "--json"], ["sync", "--locked"], ["lock", "--check"]):
        stdin_text = said(isolate, *arguments, cwd=app, status=None)
        assert "alpha @ http" in stdin_text or arguments[0] == "lock"
        assert SECRET not in stdin_text


def test_no_page_about_conflicts_tells_credentials(isolate, application, private, tmp_path):
    for version in ("1.0", "2.0"):
        where = address(private, f"alpha-{version}-py3-none-any.whl")
        app = application({"requirements.txt": f"alpha @ {where}\n"}, name=f"repo/{version}")
        isolate("lock", cwd=app)
    root = application({"pyproject.toml": '[tool.isolate]\napplications = ["*"]\n'}, name="repo")
    page = tmp_path / "page.html"
    stdin_text = said(isolate, "conflicts", "--html", page, cwd=root, status=None)
    stdin_text += said(isolate, "conflicts", "--json", cwd=root, status=None) + page.read_text()
    assert "alpha @ http" in stdin_text
    assert SECRET not in stdin_text


@pytest.mark.parametrize("name", ["PIP_USER_TOKEN", "PYTHON_TOKEN", "TOKEN"])
@pytest.mark.parametrize("line", ["--index-url {index}\nalpha==1.0\n", "alpha @ {file}\n"])
def test_a_variable_is_filled_in_whatever_it_is_called(isolate, application, private, name, line):
    user = f"${{{name}}}"
    index, file = private.url.replace("://", f"://{user}@"), address(private, "alpha-1.0-py3-none-any.whl", user)
    app = application({"requirements.txt": line.format(index=index, file=file)})
    isolate("sync", cwd=app, env={name: USER})
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_a_variable_that_is_empty_stays_as_it_stands(tmp_path):
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
def test_an_address_with_credentials_is_installed_and_they_stay_where_they_were(
    isolate, application, private, cache, how
):
    files, environ = DECLARED[how]
    wheel = "alpha-1.0-py3-none-any.whl"
    digest = hashlib.sha256((private.folder / wheel).read_bytes()).hexdigest()
    where = {"literal": address(private, wheel), "variable": address(private, wheel, "${TOKEN}"), "digest": digest}
    app = application({name: text.format(**where) for name, text in files.items()})
    stdin_text = said(isolate, "sync", "-v", cwd=app, env=environ)
    assert versions(app / ".venv") == {"alpha": "1.0"}
    stdin_text += said(isolate, "check", cwd=app, env=environ)
    assert SECRET not in stdin_text
    assert holding_secrets(app, cache) == [app / name for name in files if "{literal}" in files[name]]


@pytest.mark.parametrize("options", ["", "--pre\n"])
def test_a_repository_with_credentials_is_installed_from(isolate, application, cache, tmp_path, options):
    tree = build_tree(tmp_path / "tree", "alpha", "1.0")
    for line in ("init -q", "add .", "-c user.name=a -c user.email=a@b commit -qm one", "tag v1"):
        subprocess.run(["git", *line.split()], cwd=tree, check=True)
    bare = tmp_path / "private/alpha.git"
    subprocess.run(["git", "clone", "-q", "--bare", tree, bare], check=True)
    subprocess.run(["git", "update-server-info"], cwd=bare, check=True)
    with LocalIndex(tmp_path / "private", credentials=USER).serving() as server:
        app = application({"requirements.txt": f"{options}alpha @ git+{address(server, 'alpha.git')}@v1\n"})
        stdin_text = said(isolate, "sync", "-v", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}
    assert SECRET not in stdin_text
    assert holding_secrets(app, cache) == [app / "requirements.txt"]


def holding_secrets(*folders):
    """Return the files below *folders* that have the password in them."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if SECRET.encode() in path.read_bytes()]


def test_an_address_in_a_project_that_is_none_is_refused_with_words(isolate, application, index):
    text = '[project]\nname = "a"\nversion = "1"\ndependencies = ["alpha @ https://me:opensesame@[x/alpha-1.0.whl"]\n'
    app = application({"pyproject.toml": text})
    assert SECRET not in said(isolate, "sync", cwd=app, status=2)
