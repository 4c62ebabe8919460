"""What opens a private index, or one file on a server, stays where the user put it, and opens it nevertheless."""

from __future__ import annotations

import pytest

from isolate.declarations.reading import read_declarations
from kit.index import LocalIndex
from kit.packages import build_wheel

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


REFUSED = {
    "an include by address": "-r https://${USER}@example.org/base.txt\n",
    "no requirement": "alpha @@ https://${USER}@example.org/alpha-1.0.whl\n",
    "a variable in no requirement": "alpha at ${USER}\n",
    "no address": "alpha @ https://${USER}@[example.org/alpha-1.0.whl\n",
    "no address alone": "https://${USER}@[example.org/alpha-1.0.whl\n",
    "no option": "--frobnicate https://me:opensesame@example.org\n",
    "a literal include": "-r https://me:opensesame@example.org/base.txt\n",
}


@pytest.mark.parametrize("case", REFUSED)
def test_no_refusal_of_a_declaration_tells_credentials(isolate, application, case):
    app = application({"requirements.txt": REFUSED[case]})
    for arguments in (["sync"], ["sync", "--all"], ["check", "--json"]):
        assert SECRET not in said(isolate, *arguments, cwd=app, status=None, env={"USER": USER})


def test_no_finding_tells_credentials(isolate, application, index, private):
    app = application({"requirements.txt": "delta==1.0\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": f"alpha @ {address(private, 'alpha-1.0-py3-none-any.whl')}\n"})
    for arguments in (["check"], ["check", "--json"], ["sync", "--locked"], ["lock", "--check"]):
        told = said(isolate, *arguments, cwd=app, status=None)
        assert "alpha @ http" in told or arguments[0] == "lock"
        assert SECRET not in told


def test_no_page_about_conflicts_tells_credentials(isolate, application, private, tmp_path):
    for version in ("1.0", "2.0"):
        where = address(private, f"alpha-{version}-py3-none-any.whl")
        app = application({"requirements.txt": f"alpha @ {where}\n"}, name=f"repo/{version}")
        isolate("lock", cwd=app)
    root = application({"pyproject.toml": '[tool.isolate]\napplications = ["*"]\n'}, name="repo")
    page = tmp_path / "page.html"
    told = said(isolate, "conflicts", "--html", page, cwd=root, status=None)
    told += said(isolate, "conflicts", "--json", cwd=root, status=None) + page.read_text()
    assert "alpha @ http" in told
    assert SECRET not in told


@pytest.mark.parametrize("name", ["PIP_USER_TOKEN", "PYTHON_TOKEN", "TOKEN"])
@pytest.mark.parametrize("line", ["--index-url {index}\nalpha==1.0\n", "alpha @ {file}\n"])
def test_a_variable_is_filled_in_whatever_it_is_called(isolate, application, private, name, line):
    user = f"${{{name}}}"
    index, file = private.url.replace("://", f"://{user}@"), address(private, "alpha-1.0-py3-none-any.whl", user)
    app = application({"requirements.txt": line.format(index=index, file=file)})
    isolate("lock", cwd=app, env={name: USER})


def test_a_variable_that_is_empty_stays_as_it_stands(tmp_path):
    (tmp_path / "requirements.txt").write_text("alpha @ https://${TOKEN}@example.org/alpha-1.0.whl\n")
    assert read_declarations(tmp_path, {"TOKEN": ""}).requirements[0].url.startswith("https://${TOKEN}@")
