"""An index that fails stops the sync: pip would go on without it, and take its packages from another one."""

from __future__ import annotations

import socket

import pytest

from conftest import versions
from kit.index import LocalIndex
from kit.packages import build_sdist, build_tree, build_wheel

FAILURES = {
    "401": "answered 401 (Unauthorized)",
    "403": "answered 403 (Forbidden)",
    "429": "answered 429 (Too Many Requests)",
    "500": "answered 500 (Internal Server Error)",
    "503": "answered 503 (Service Unavailable)",
    "504": "answered 504 (Gateway Timeout)",
    "plain": "did not answer with a list of files",
    "login": "answered with a page without files",
    "closed": "cannot be reached",
}


@pytest.fixture
def private(tmp_path, monkeypatch, index):
    """Serve `corp`, newer than the one of the same name on the public index, as an extra index with a password."""
    build_wheel(index.directory, "corp", "0.1", files={"corp/__init__.py": "placeholder = True\n"})
    build_wheel(tmp_path / "private", "corp", "1.0")
    with LocalIndex(tmp_path / "private").serving() as served:
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", served.url.replace("//", "//user:s3cr3t@"))
        yield served


def host_of(url):
    return url.partition("://")[2].partition("/")[0]


def closed_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{bound.getsockname()[1]}/simple/"


@pytest.mark.parametrize("fault", FAILURES)
def test_an_extra_index_that_fails_stops_the_sync(isolate, application, private, monkeypatch, fault):
    url = closed_port() if fault == "closed" else private.url
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", url.replace("//", "//user:s3cr3t@"))
    private.misbehave("/simple", fault)
    app = application({"requirements.txt": "corp\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert FAILURES[fault] in message
    assert f"the package index at {host_of(url)}" in message
    assert "s3cr3t" not in message
    assert "user" not in message
    assert not (app / "pylock.toml").exists()
    private.behave()
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", private.url)
    isolate("sync", cwd=app)
    assert versions(app / ".venv")["corp"] == "1.0"


@pytest.mark.parametrize("fault", FAILURES)
def test_a_sole_index_that_fails_is_not_a_question_of_spelling(isolate, application, index, monkeypatch, fault):
    url = closed_port() if fault == "closed" else index.url
    monkeypatch.setenv("PIP_INDEX_URL", url)
    index.misbehave("/simple", fault)
    message = isolate("sync", cwd=application({"requirements.txt": "alpha\n"}), status=2).err
    assert FAILURES[fault] in message
    assert host_of(url) in message
    assert "spelling" not in message


PINS = "".join(f"pin{number}==1.0\n" for number in range(9))


@pytest.mark.parametrize("fault", ["401", "503"])
def test_so_it_does_where_the_pins_are_fetched_first(isolate, application, index, private, fault):
    for number in range(9):
        build_wheel(index.directory, f"pin{number}", "1.0")
    private.misbehave("/simple/pin7", fault)
    app = application({"requirements.txt": PINS})
    assert FAILURES[fault] in isolate("sync", cwd=app, status=2).err
    private.behave()
    isolate("sync", cwd=app)


def test_so_it_does_where_only_a_new_requirement_is_resolved(isolate, application, private):
    app = application({"requirements.txt": "alpha\n"})
    isolate("sync", cwd=app)
    private.misbehave("/simple/corp", "401")
    application({"requirements.txt": "alpha\ncorp\n"})
    assert FAILURES["401"] in isolate("sync", cwd=app, status=2).err
    assert versions(app / ".venv") == {"alpha": "2.0"}


def test_so_it_does_for_the_requirements_of_a_build(isolate, application, index, private):
    build_sdist(index.directory, "built", "1.0", build_requires=["corp"])
    private.misbehave("/simple/corp", "503")
    app = application({"requirements.txt": "built==1.0\n"})
    assert FAILURES["503"] in isolate("sync", cwd=app, status=2).err
    private.behave()
    isolate("sync", cwd=app)


def test_the_output_of_a_build_requirement_that_cannot_be_built_is_shown(isolate, application, index):
    build_sdist(index.directory, "tool", "1.0", on_build="raise RuntimeError('no such luck')")
    build_sdist(index.directory, "built", "1.0", build_requires=["tool"])
    message = isolate("sync", cwd=application({"requirements.txt": "built==1.0\n"}), status=2).err
    assert "RuntimeError: no such luck" in message


def test_a_lock_with_urls_and_hashes_needs_no_index(isolate, application, private, monkeypatch):
    app = application({"requirements.txt": "corp\nalpha\n"})
    isolate("lock", cwd=app)
    private.misbehave("/simple", "503")
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0", "corp": "1.0"}


@pytest.mark.parametrize("fault", ["403", "404", "410", "login"])
def test_an_answer_that_means_absent_counts_so_where_the_index_serves_something(isolate, application, private, fault):
    private.misbehave("/simple/alpha", fault)
    app = application({"requirements.txt": "alpha\ncorp\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0", "corp": "1.0"}


@pytest.mark.parametrize("fault", ["403", "login"])
def test_a_setting_says_that_such_an_answer_means_absent(isolate, application, private, fault):
    private.misbehave("/simple", fault)
    project = '[project]\nname = "x"\ndependencies = ["alpha"]\n[tool.isolate]\nlenient-indexes = ["{}"]\n'
    app = application({"pyproject.toml": project.format("http://other/simple")})
    assert "lenient-indexes" in isolate("sync", cwd=app, status=2).err
    application({"pyproject.toml": project.format(private.url.rstrip("/"))})
    isolate("sync", cwd=app)
    private.misbehave("/simple", "500")
    isolate("lock", "--upgrade", cwd=app)


def test_the_setting_excuses_no_other_failure(isolate, application, private):
    private.misbehave("/simple", "401")
    project = '[project]\nname = "x"\ndependencies = ["alpha"]\n[tool.isolate]\nlenient-indexes = ["{}"]\n'
    app = application({"pyproject.toml": project.format(private.url)})
    assert FAILURES["401"] in isolate("sync", cwd=app, status=2).err


def test_a_page_with_links_that_fails_stops_the_sync(isolate, application, private, monkeypatch):
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL")
    private.misbehave("/links", "503")
    links = private.url.replace("/simple/", "/links.html")
    app = application({"requirements.txt": f"--find-links {links}\nalpha\n"})
    assert FAILURES["503"] in isolate("sync", cwd=app, status=2).err


def test_what_means_absent_may_show_after_the_project_was_built(isolate, application, index, private):
    """The build comes first, and asks the private index for what only the public one has."""
    private.misbehave("/simple/(alpha|tool)", "403")
    build_wheel(index.directory, "tool", "1.0")
    app = application({})
    build_tree(app / "lib", "lib", "1.0", requires=["corp", "alpha"], build_requires=["tool"])
    project = (app / "lib/pyproject.toml").read_text()
    (app / "lib/pyproject.toml").write_text(
        project.replace('dependencies = ["corp", "alpha"]', 'dynamic = ["dependencies"]')
    )
    isolate("sync", cwd=app / "lib")
    assert versions(app / "lib/.venv") == {"alpha": "2.0", "corp": "1.0", "lib": "1.0"}
