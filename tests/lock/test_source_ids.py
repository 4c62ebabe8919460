"""A distribution that is requested by URL or path: when its lock is stale, and when it counts as pinned."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys

import pytest

from conftest import versions
from isolate.declarations.declared import Origin
from isolate.declarations.requirement_line import parse_requirement
from isolate.lock.source_ids import declared_source, locked_source
from kit.packages import build_sdist, build_tree, build_wheel

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(directory, *arguments):
    config = ("-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "init.defaultBranch=main")
    command = ["git", *config, "-C", directory, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Return a repository with versions 1.0 and 2.0 of `tracked` as tags v1 and v2; the branch main is at v2."""
    tree = tmp_path / "repository"
    for tag, version in (("v1", "1.0"), ("v2", "2.0")):
        commit_version(tree, version)
        git(tree, "tag", tag)
    return tree


def commit_version(tree, version):
    """Replace the source tree in the repository *tree* by *version* and commit it; create a repository at first."""
    saved = tree.with_name("saved.git")
    if (tree / ".git").exists():
        shutil.move(tree / ".git", saved)
        shutil.rmtree(tree)
    build_tree(tree, "tracked", version)
    if saved.exists():
        shutil.move(saved, tree / ".git")
    else:
        git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", version)


def verified_versions(isolate, app):
    """Return the installed versions, after every check agrees that they are what the application declares."""
    isolate("check", cwd=app)
    isolate("sync", "--locked", "--verify", cwd=app)
    return versions(app / ".venv")


def url_of_alpha(index, version):
    return index.url.removesuffix("/simple/") + f"/files/alpha-{version}-py3-none-any.whl"


@pytest.mark.parametrize("form", ["alpha @ {url}\n", "{url}\n", "alpha @ {url}#egg=alpha\n"])
def test_a_changed_url_is_followed(isolate, application, index, form):
    app = application({"requirements.txt": form.format(url=url_of_alpha(index, "1.0"))})
    isolate("sync", cwd=app)
    assert verified_versions(isolate, app) == {"alpha": "1.0"}
    application({"requirements.txt": form.format(url=url_of_alpha(index, "2.0"))})
    assert "stale lock: " in isolate("check", cwd=app, status=1).out
    isolate("sync", cwd=app)
    assert verified_versions(isolate, app) == {"alpha": "2.0"}


def test_a_changed_url_with_credentials_makes_the_lock_stale(isolate, application, index):
    def requirements(version):
        return {"requirements.txt": f"alpha @ {url_of_alpha(index, version).replace('://', '://me:pw@')}\n"}

    app = application(requirements("1.0"))
    isolate("lock", cwd=app)
    assert isolate("lock", "--check", cwd=app).out == "pylock.toml is up to date\n"
    application(requirements("2.0"))
    assert "alpha" in isolate("lock", "--check", cwd=app, status=1).out


def test_a_changed_hash_in_a_url_is_followed(isolate, application, index):
    url = url_of_alpha(index, "1.0")
    app = application({"requirements.txt": f"alpha @ {url}\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": f"alpha @ {url}#sha256={'0' * 64}\n"})
    assert "hash mismatch" in isolate("sync", cwd=app, status=2).err


@pytest.mark.parametrize("line", ["./wheels/{wheel}\n", "alpha @ {url}/{wheel}\n"])
def test_a_changed_path_of_an_archive_is_followed(isolate, application, index, line):
    app = application({"requirements.txt": ""})
    for version in ("1.0", "2.0"):
        wheel = build_wheel(app / "wheels", "alpha", version)
        application({"requirements.txt": line.format(wheel=wheel.name, url=wheel.parent.as_uri())})
        isolate("sync", cwd=app)
        assert verified_versions(isolate, app) == {"alpha": version}


@pytest.mark.parametrize("line", ["./{name}\n", "-e ./{name}\n", "lib @ {url}\n"])
def test_a_changed_path_of_a_source_tree_is_followed(isolate, application, index, line):
    app = application({"requirements.txt": ""})
    for name, version in (("one", "1.0"), ("two", "2.0")):
        tree = build_tree(app / name, "lib", version)
        application({"requirements.txt": line.format(name=name, url=tree.as_uri())})
        isolate("sync", cwd=app)
        assert verified_versions(isolate, app) == {"lib": version}


def test_a_source_tree_may_become_editable_and_back(isolate, application, index):
    app = application({"requirements.txt": "./lib\n"})
    module = build_tree(app / "lib", "lib", "1.0") / "src/lib/__init__.py"
    program = "import lib; print(lib.__file__)"
    for line, is_editable in (("./lib", False), ("-e ./lib", True), ("./lib", False)):
        application({"requirements.txt": f"{line}\n"})
        isolate("sync", cwd=app)
        assert verified_versions(isolate, app) == {"lib": "1.0"}
        imported = isolate("run", "--no-sync", "--", "python", "-c", program, cwd=app).out.strip()
        assert (imported == str(module)) is is_editable


def test_changed_extras_of_a_source_tree_are_followed(isolate, application, index):
    app = application({"requirements.txt": ""})
    build_tree(app / "lib", "lib", "1.0")
    build_wheel(app / "lib/prebuilt", "lib", "1.0", extras={"more": ["delta"]})
    for line, dependencies in (("./lib", {}), ("./lib[more]", {"delta": "1.0"}), ("./lib", {})):
        application({"requirements.txt": f"{line}\n"})
        isolate("sync", cwd=app)
        assert verified_versions(isolate, app) == {"lib": "1.0", **dependencies}


@pytest.mark.parametrize(
    ("remaining", "expected"),
    [("delta==1.0\n", {"delta": "1.0"}), ("delta==1.0\n./other\n", {"delta": "1.0", "other": "1.0"})],
)
def test_a_source_tree_is_removed_with_its_dependencies(isolate, application, index, remaining, expected):
    app = application({"requirements.txt": f"./lib\n{remaining}"})
    build_tree(app / "lib", "lib", "1.0", requires=["alpha==1.0"])
    build_tree(app / "other", "other", "1.0")
    isolate("sync", cwd=app)
    assert verified_versions(isolate, app) == {"lib": "1.0", "alpha": "1.0", **expected}
    application({"requirements.txt": remaining})
    isolate("sync", cwd=app)
    assert verified_versions(isolate, app) == expected


def test_an_added_path_is_installed(isolate, application, index):
    app = application({"requirements.txt": "delta==1.0\n"})
    isolate("sync", cwd=app)
    build_wheel(app / "wheels", "alpha", "1.0")
    application({"requirements.txt": "delta==1.0\n./wheels/alpha-1.0-py3-none-any.whl\n"})
    isolate("sync", cwd=app)
    assert verified_versions(isolate, app) == {"alpha": "1.0", "delta": "1.0"}


def test_a_path_through_a_symbolic_link_is_the_same_path(isolate, application, index, tmp_path):
    app = application({"requirements.txt": "./lib\n"}, name="real/app")
    build_tree(app / "lib", "lib", "1.0")
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    isolate("lock", tmp_path / "linked/app")
    assert isolate("lock", "--check", tmp_path / "linked/app").out == "pylock.toml is up to date\n"


GIT_FORMS = ["tracked @ git+{url}@{revision}\n", "git+{url}@{revision}\n", "git+{url}@{revision}#egg=tracked\n"]


@needs_git
@pytest.mark.parametrize("form", GIT_FORMS)
def test_a_changed_tag_is_followed(isolate, application, index, repository, form):
    app = application({"requirements.txt": ""})
    for tag, version in (("v1", "1.0"), ("v2", "2.0")):
        application({"requirements.txt": form.format(url=repository.as_uri(), revision=tag)})
        isolate("sync", cwd=app)
        assert verified_versions(isolate, app) == {"tracked": version}


@needs_git
def test_an_added_or_removed_tag_is_followed(isolate, application, index, repository):
    app = application({"requirements.txt": ""})
    for suffix, version in (("", "2.0"), ("@v1", "1.0"), ("", "2.0")):
        application({"requirements.txt": f"tracked @ git+{repository.as_uri()}{suffix}\n"})
        isolate("sync", cwd=app)
        assert verified_versions(isolate, app) == {"tracked": version}


def lock_with_pip(app):
    """Write the lock of *app* with `pip lock`, and return its text."""
    command = [sys.executable, "-m", "pip", "lock", "-q", "-r", "requirements.txt", "-o", "pylock.toml"]
    subprocess.run(command, check=True, capture_output=True, cwd=app)
    return (app / "pylock.toml").read_text()


def test_a_lock_by_another_tool_is_fresh_however_it_spells_sources(isolate, application, index):
    app = application({"requirements.txt": ""})
    build_tree(app / "lib", "lib", "1.0")
    delta = build_wheel(app / "wheels dir", "delta", "1.0")
    others = f"-e ./lib\n{delta.as_uri()}\n"
    application({"requirements.txt": f"alpha @ {url_of_alpha(index, '1.0')}#egg=alpha\n{others}"})
    lock_with_pip(app)
    isolate("sync", "--locked", cwd=app)
    assert verified_versions(isolate, app) == {"alpha": "1.0", "delta": "1.0", "lib": "1.0"}
    application({"requirements.txt": f"alpha @ {url_of_alpha(index, '2.0')}#egg=alpha\n{others}"})
    assert "source differs from the locked source of alpha" in isolate("sync", "--locked", cwd=app, status=2).err


@needs_git
@pytest.mark.parametrize("form", GIT_FORMS)
def test_a_lock_by_another_tool_need_not_record_the_revision(isolate, application, index, repository, form):
    app = application({"requirements.txt": form.format(url=repository.as_uri(), revision="v1")})
    text = lock_with_pip(app)
    assert 'requested-revision = "v1"' in text
    isolate("lock", "--check", cwd=app)
    (app / "pylock.toml").write_text(text.replace('requested-revision = "v1"\n', ""))
    isolate("lock", "--check", cwd=app)


@needs_git
def test_a_lock_by_another_tool_without_a_revision_is_compared_by_its_commit(isolate, application, index, repository):
    first, second = (git(repository, "rev-parse", tag) for tag in ("v1", "v2"))
    app = application({"requirements.txt": f"tracked @ git+{repository.as_uri()}@{first}\n"})
    text = lock_with_pip(app)
    (app / "pylock.toml").write_text(text.replace(f'requested-revision = "{first}"\n', ""))
    isolate("lock", "--check", cwd=app)
    application({"requirements.txt": f"tracked @ git+{repository.as_uri()}@{second}\n"})
    isolate("lock", "--check", cwd=app, status=1)


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "alpha\nalpha @ {url}\n"},
        {"requirements.txt": "-c constraints.txt\nalpha\n", "constraints.txt": "alpha @ {url}\n"},
    ],
    ids=["requirement", "constraint"],
)
def test_a_name_beside_its_url_makes_no_lock_stale(isolate, application, index, files):
    app = application({name: text.format(url=url_of_alpha(index, "1.0")) for name, text in files.items()})
    isolate("sync", cwd=app)
    assert verified_versions(isolate, app) == {"alpha": "1.0"}


@needs_git
def test_a_branch_is_not_a_pin(isolate, application, index, repository):
    app = application({"requirements.txt": f"tracked @ git+{repository.as_uri()}@main\n"})
    assert "wrote pylock.toml" in isolate("sync", cwd=app).out
    commit_version(repository, "3.0")
    shutil.rmtree(app / ".venv")
    isolate("sync", cwd=app, env={"ISOLATE_CACHE_DIR": str(app.parent / "cache of another machine")})
    assert verified_versions(isolate, app) == {"tracked": "2.0"}
    isolate("sync", "--upgrade", cwd=app)
    assert verified_versions(isolate, app) == {"tracked": "3.0"}


@needs_git
def test_a_repository_is_installed_together_with_hashed_artifacts(isolate, application, index, repository):
    build_sdist(index.directory, "source", "1.0")
    app = application({"requirements.txt": f"beta\nsource\ntracked @ git+{repository.as_uri()}@v1\n"})
    isolate("sync", cwd=app)
    assert verified_versions(isolate, app) == {"alpha": "2.0", "beta": "2.0", "source": "1.0", "tracked": "1.0"}


@needs_git
@pytest.mark.parametrize("form", ["-e {}#egg=tracked", "--editable={}#egg=tracked", "-e {}", "-e tracked @ {}"])
def test_an_editable_repository_is_an_error_with_the_line_to_write(isolate, application, index, repository, form):
    line = form.format(f"git+{repository.as_uri()}@v1")
    app = application({"requirements.txt": f"{line}\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert "requirements.txt:1: " in message
    suggested = message.partition("write `")[2].partition("`")[0]
    assert suggested == line.removeprefix("--editable=").removeprefix("-e ")
    application({"requirements.txt": f"{suggested}\n"})
    isolate("sync", cwd=app)
    assert verified_versions(isolate, app) == {"tracked": "1.0"}


@needs_git
def test_a_full_commit_hash_is_a_pin(isolate, application, index, repository):
    commit = git(repository, "rev-parse", "v1")
    app = application({"requirements.txt": f"tracked @ git+{repository.as_uri()}@{commit}\n"})
    isolate("sync", cwd=app)
    assert verified_versions(isolate, app) == {"tracked": "1.0"}
    assert not (app / "pylock.toml").exists()
    application({"requirements.txt": f"tracked @ git+{repository.as_uri()}@{commit[:12]}\n"})
    assert "wrote pylock.toml" in isolate("sync", cwd=app).out


@pytest.mark.parametrize("suffix", ["", "#sha256={digest}", " --hash=sha256:{digest}"])
def test_a_url_is_a_pin_only_with_a_hash(isolate, application, index, suffix):
    digest = hashlib.sha256((index.directory / "alpha-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    app = application({"requirements.txt": f"alpha @ {url_of_alpha(index, '1.0')}{suffix.format(digest=digest)}\n"})
    isolate("sync", cwd=app)
    assert verified_versions(isolate, app) == {"alpha": "1.0"}
    assert (app / "pylock.toml").exists() is not bool(suffix)


def test_a_local_source_is_a_pin(isolate, application, index, tmp_path):
    wheel = build_wheel(tmp_path / "wheels", "alpha", "1.0")
    app = application({"requirements.txt": f"alpha @ {wheel.as_uri()}\n./lib\n"})
    build_tree(app / "lib", "lib", "1.0")
    isolate("sync", cwd=app)
    assert not (app / "pylock.toml").exists()


VCS = {"type": "git", "commit-id": "0" * 40}
SAME = {
    "a user": ("git+ssh://git@host/x.git", {"vcs": {**VCS, "url": "ssh://git@host/x.git"}}),
    "credentials": ("git+https://me:p@ss@Host/x.git", {"vcs": {**VCS, "url": "https://host/x.git"}}),
    "a user and a revision": (
        "git+ssh://git@host/x.git@feature/y#egg=x",
        {"vcs": {**VCS, "url": "ssh://git@host/x.git", "requested-revision": "feature/y"}},
    ),
    "a subdirectory": (
        "git+https://host/x.git#egg=x&subdirectory=sub/",
        {"vcs": {**VCS, "url": "https://host/x.git", "subdirectory": "sub"}},
    ),
    "a type that pip writes twice": ("svn+ssh://host/x", {"vcs": {**VCS, "type": "svn", "url": "svn+ssh://host/x"}}),
    "escapes": ("https://host/a%2Bb.whl?x=1#sha256=00", {"archive": {"url": "https://host/a+b.whl?x=1"}}),
    "extras": ("file:///lib[test]", {"directory": {"path": "/lib", "editable": True}}),
    "a slash": ("file:///lib/", {"directory": {"path": "/lib"}}),
}


@pytest.mark.parametrize("case", SAME)
def test_spellings_of_one_source_are_equal(tmp_path, case):
    url, table = SAME[case]
    line = f"-e {url}" if "[" in url else url
    source = declared_source(parse_requirement(line, line, Origin(file=tmp_path / "requirements.txt"), root=tmp_path))
    assert source is not None
    assert source.is_met_by(locked_source(table), made_by_isolate=True)


@pytest.mark.parametrize(
    "line",
    [
        "https://host/x-${VERSION}.whl",
        "https://host/x-1.whl ; python_version < '3'",
        "x @ git+git@host:x.git",
        "x==1",
    ],
)
def test_a_requirement_that_cannot_be_compared_has_no_source(tmp_path, line):
    origin = Origin(file=tmp_path / "requirements.txt")
    assert declared_source(parse_requirement(line, line, origin, root=tmp_path)) is None
