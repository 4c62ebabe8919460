"""A distribution that is asked for by its address or its path: what of it a lock holds, and when that is stale."""

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

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")


def git(folder, *arguments):
    named = ("-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "init.defaultBranch=main")
    command = ["git", *named, "-C", folder, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A repository with the tags v1 and v2, versions 1.0 and 2.0 of `tracked`; the branch main is at v2."""
    tree = tmp_path / "repository"
    for tag, version in (("v1", "1.0"), ("v2", "2.0")):
        commit_version(tree, version)
        git(tree, "tag", tag)
    return tree


def commit_version(tree, version):
    kept = tree.with_name("kept.git")
    if (tree / ".git").exists():
        shutil.move(tree / ".git", kept)
        shutil.rmtree(tree)
    build_tree(tree, "tracked", version)
    if kept.exists():
        shutil.move(kept, tree / ".git")
    else:
        git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", version)


def settled(isolate, app):
    """Say that whatever `sync` has made of an application is what it asks for, however closely one looks."""
    isolate("check", cwd=app)
    isolate("sync", "--locked", "--verify", cwd=app)
    return versions(app / ".venv")


def site_of(index):
    return index.url.removesuffix("/simple/") + "/files"


FORMS = {
    "named": "alpha @ {address}\n",
    "bare": "{address}\n",
    "credentials": "alpha @ {secret}\n",
    "fragment": "alpha @ {address}#egg=alpha\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_an_edited_address_of_an_archive_is_followed(isolate, application, index, form):
    def lines(version):
        address = f"{site_of(index)}/alpha-{version}-py3-none-any.whl"
        return {"requirements.txt": FORMS[form].format(address=address, secret=address.replace("://", "://me:pw@"))}

    app = application(lines("1.0"))
    if form == "credentials":
        isolate("lock", cwd=app)
        assert isolate("lock", "--check", cwd=app).out == "pylock.toml is up to date\n"
        application(lines("2.0"))
        assert "alpha" in isolate("lock", "--check", cwd=app, status=1).out
        return
    isolate("sync", cwd=app)
    assert settled(isolate, app) == {"alpha": "1.0"}
    application(lines("2.0"))
    assert "stale lock: " in isolate("check", cwd=app, status=1).out
    isolate("sync", cwd=app)
    assert settled(isolate, app) == {"alpha": "2.0"}


def test_an_edited_hash_in_an_address_is_followed(isolate, application, index):
    address = f"alpha @ {site_of(index)}/alpha-1.0-py3-none-any.whl"
    app = application({"requirements.txt": f"{address}\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": f"{address}#sha256={'0' * 64}\n"})
    isolate("sync", cwd=app, status=2)


@pytest.mark.parametrize("line", ["./wheels/alpha-{}-py3-none-any.whl", "alpha @ {folder}/alpha-{}-py3-none-any.whl"])
def test_an_edited_path_of_an_archive_is_followed(isolate, application, index, line):
    app = application({"requirements.txt": ""})
    for version in ("1.0", "2.0"):
        build_wheel(app / "wheels", "alpha", version)
        application({"requirements.txt": line.format(version, folder=(app / "wheels").as_uri()) + "\n"})
        isolate("sync", cwd=app)
        assert settled(isolate, app) == {"alpha": version}


@pytest.mark.parametrize("line", ["./{}", "-e ./{}", "lib @ {root}/{}"])
def test_an_edited_path_of_a_source_tree_is_followed(isolate, application, index, line):
    app = application({"requirements.txt": ""})
    for folder, version in (("one", "1.0"), ("two", "2.0")):
        build_tree(app / folder, "lib", version)
        application({"requirements.txt": line.format(folder, root=app.as_uri()) + "\n"})
        isolate("sync", cwd=app)
        assert settled(isolate, app) == {"lib": version}


def test_a_source_tree_that_is_to_be_edited_from_now_on_is_linked_instead_of_copied(isolate, application, index):
    app = application({"requirements.txt": "./lib\n"})
    module = build_tree(app / "lib", "lib", "1.0") / "src/lib/__init__.py"
    for line, shown in (("./lib", False), ("-e ./lib", True), ("./lib", False)):
        application({"requirements.txt": f"{line}\n"})
        isolate("sync", cwd=app)
        assert settled(isolate, app) == {"lib": "1.0"}
        found = isolate("run", "--no-sync", "--", "python", "-c", "import lib; print(lib.__file__)", cwd=app).out
        assert (found.strip() == str(module)) is shown


def test_the_extras_of_a_source_tree_are_followed(isolate, application, index):
    app = application({"requirements.txt": ""})
    build_tree(app / "lib", "lib", "1.0")
    build_wheel(app / "lib/prebuilt", "lib", "1.0", extras={"more": ["delta"]})
    for line, others in (("./lib", {}), ("./lib[more]", {"delta": "1.0"}), ("./lib", {})):
        application({"requirements.txt": f"{line}\n"})
        isolate("sync", cwd=app)
        assert settled(isolate, app) == {"lib": "1.0", **others}


@pytest.mark.parametrize("rest", ["delta==1.0\n", "delta==1.0\n./other\n"])
def test_a_source_tree_and_what_it_needs_go_when_it_is_declared_no_more(isolate, application, index, rest):
    app = application({"requirements.txt": f"./lib\n{rest}"})
    build_tree(app / "lib", "lib", "1.0", requires=["alpha==1.0"])
    build_tree(app / "other", "other", "1.0")
    isolate("sync", cwd=app)
    application({"requirements.txt": rest})
    isolate("sync", cwd=app)
    expected = {"delta": "1.0", **({"other": "1.0"} if "other" in rest else {})}
    assert settled(isolate, app) == expected


def test_a_path_that_is_added_is_installed(isolate, application, index):
    app = application({"requirements.txt": "delta==1.0\n"})
    isolate("sync", cwd=app)
    build_wheel(app / "wheels", "alpha", "1.0")
    application({"requirements.txt": "delta==1.0\n./wheels/alpha-1.0-py3-none-any.whl\n"})
    isolate("sync", cwd=app)
    assert settled(isolate, app) == {"alpha": "1.0", "delta": "1.0"}


def test_a_path_through_a_link_is_the_same_path(isolate, application, index, tmp_path):
    app = application({"requirements.txt": "./lib\n"}, name="real/app")
    build_tree(app / "lib", "lib", "1.0")
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    isolate("lock", tmp_path / "linked/app")
    assert isolate("lock", "--check", tmp_path / "linked/app").out == "pylock.toml is up to date\n"


GIT_FORMS = ["tracked @ git+{url}@{rev}", "git+{url}@{rev}", "git+{url}@{rev}#egg=tracked"]


@needs_git
@pytest.mark.parametrize("form", GIT_FORMS)
def test_an_edited_tag_is_followed(isolate, application, index, repository, form):
    app = application({"requirements.txt": ""})
    for rev, version in (("v1", "1.0"), ("v2", "2.0")):
        application({"requirements.txt": form.format(url=repository.as_uri(), rev=rev) + "\n"})
        isolate("sync", cwd=app)
        assert settled(isolate, app) == {"tracked": version}


@needs_git
def test_a_tag_that_is_added_or_taken_away_is_followed(isolate, application, index, repository):
    app = application({"requirements.txt": ""})
    for rev, version in (("", "2.0"), ("@v1", "1.0"), ("", "2.0")):
        application({"requirements.txt": f"tracked @ git+{repository.as_uri()}{rev}\n"})
        isolate("sync", cwd=app)
        assert settled(isolate, app) == {"tracked": version}


def locked_by_pip(app):
    command = [sys.executable, "-m", "pip", "lock", "-q", "-r", "requirements.txt", "-o", "pylock.toml"]
    subprocess.run(command, check=True, capture_output=True, cwd=app)
    return (app / "pylock.toml").read_text()


def test_a_lock_by_another_tool_holds_however_its_addresses_are_written(isolate, application, index):
    app = application({"requirements.txt": ""})
    build_wheel(app / "wheels dir", "delta", "1.0")
    build_tree(app / "lib", "lib", "1.0")
    addresses = [f"alpha @ {site_of(index)}/alpha-1.0-py3-none-any.whl#egg=alpha", "-e ./lib"]
    addresses.append(f"{(app / 'wheels dir').as_uri()}/delta-1.0-py3-none-any.whl")
    lines = "".join(f"{line}\n" for line in addresses)
    application({"requirements.txt": lines})
    locked_by_pip(app)
    isolate("sync", "--locked", cwd=app)
    assert settled(isolate, app) == {"alpha": "1.0", "delta": "1.0", "lib": "1.0"}
    application({"requirements.txt": lines.replace("alpha-1.0", "alpha-2.0")})
    assert "names another source of alpha" in isolate("sync", "--locked", cwd=app, status=2).err


@needs_git
@pytest.mark.parametrize("form", GIT_FORMS)
def test_a_lock_by_another_tool_need_not_name_the_revision(isolate, application, index, repository, form):
    app = application({"requirements.txt": form.format(url=repository.as_uri(), rev="v1") + "\n"})
    text = locked_by_pip(app)
    assert 'requested-revision = "v1"' in text
    isolate("lock", "--check", cwd=app)
    (app / "pylock.toml").write_text(text.replace('requested-revision = "v1"\n', ""))
    isolate("lock", "--check", cwd=app)


@needs_git
def test_a_lock_by_another_tool_that_names_no_revision_is_compared_by_its_commit(
    isolate, application, index, repository
):
    first, second = (git(repository, "rev-parse", tag) for tag in ("v1", "v2"))
    app = application({"requirements.txt": f"tracked @ git+{repository.as_uri()}@{first}\n"})
    text = locked_by_pip(app)
    (app / "pylock.toml").write_text(text.replace(f'requested-revision = "{first}"\n', ""))
    isolate("lock", "--check", cwd=app)
    application({"requirements.txt": f"tracked @ git+{repository.as_uri()}@{second}\n"})
    isolate("lock", "--check", cwd=app, status=1)


BOTH = {
    "twice": {"requirements.txt": "alpha\nalpha @ {address}\n"},
    "constraint": {"requirements.txt": "-c limits.txt\nalpha\n", "limits.txt": "alpha @ {address}\n"},
}


@pytest.mark.parametrize("files", BOTH)
def test_a_name_beside_its_address_makes_no_lock_stale(isolate, application, index, files):
    address = f"{site_of(index)}/alpha-1.0-py3-none-any.whl"
    app = application({name: text.format(address=address) for name, text in BOTH[files].items()})
    isolate("sync", cwd=app)
    assert settled(isolate, app) == {"alpha": "1.0"}


@needs_git
def test_a_branch_is_no_pin(isolate, application, index, repository):
    app = application({"requirements.txt": f"tracked @ git+{repository.as_uri()}@main\n"})
    assert "wrote pylock.toml" in isolate("sync", cwd=app).out
    commit_version(repository, "3.0")
    shutil.rmtree(app / ".venv")
    isolate("sync", cwd=app, env={"ISOLATE_CACHE_DIR": str(app.parent / "another machine")})
    assert settled(isolate, app) == {"tracked": "2.0"}
    isolate("sync", "--upgrade", cwd=app)
    assert settled(isolate, app) == {"tracked": "3.0"}


@needs_git
def test_a_repository_is_installed_beside_what_has_a_hash(isolate, application, index, repository):
    build_sdist(index.folder, "source", "1.0")
    app = application({"requirements.txt": f"beta\nsource\ntracked @ git+{repository.as_uri()}@v1\n"})
    isolate("sync", cwd=app)
    assert settled(isolate, app) == {"alpha": "2.0", "beta": "2.0", "source": "1.0", "tracked": "1.0"}


@needs_git
@pytest.mark.parametrize("form", ["-e {}#egg=tracked", "--editable={}#egg=tracked", "-e {}", "-e tracked @ {}"])
def test_a_repository_to_be_edited_is_refused_with_the_line_to_write(isolate, application, index, repository, form):
    line = form.format(f"git+{repository.as_uri()}@v1")
    app = application({"requirements.txt": f"{line}\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert "requirements.txt:1: " in message
    bare = message.partition("write `")[2].partition("`")[0]
    assert bare == line.removeprefix("--editable=").removeprefix("-e ")
    application({"requirements.txt": f"{bare}\n"})
    isolate("sync", cwd=app)
    assert settled(isolate, app) == {"tracked": "1.0"}


@needs_git
def test_a_commit_in_full_is_a_pin(isolate, application, index, repository):
    commit = git(repository, "rev-parse", "v1")
    app = application({"requirements.txt": f"tracked @ git+{repository.as_uri()}@{commit}\n"})
    isolate("sync", cwd=app)
    assert settled(isolate, app) == {"tracked": "1.0"}
    assert not (app / "pylock.toml").exists()
    application({"requirements.txt": f"tracked @ git+{repository.as_uri()}@{commit[:12]}\n"})
    assert "wrote pylock.toml" in isolate("sync", cwd=app).out


@pytest.mark.parametrize("hashed", ["", "#sha256={digest}", " --hash=sha256:{digest}"])
def test_an_archive_at_an_address_is_a_pin_with_its_hash_only(isolate, application, index, hashed):
    digest = hashlib.sha256((index.folder / "alpha-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    line = f"alpha @ {site_of(index)}/alpha-1.0-py3-none-any.whl{hashed.format(digest=digest)}\n"
    app = application({"requirements.txt": line})
    isolate("sync", cwd=app)
    assert settled(isolate, app) == {"alpha": "1.0"}
    assert (app / "pylock.toml").exists() is not bool(hashed)


def test_what_lies_on_this_machine_is_a_pin(isolate, application, index, tmp_path):
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
    "a kind twice": ("svn+ssh://host/x", {"vcs": {**VCS, "type": "svn", "url": "svn+ssh://host/x"}}),
    "escapes": ("https://host/a%2Bb.whl?x=1#sha256=00", {"archive": {"url": "https://host/a+b.whl?x=1"}}),
    "extras": ("file:///lib[test]", {"directory": {"path": "/lib", "editable": True}}),
    "a slash": ("file:///lib/", {"directory": {"path": "/lib"}}),
}


@pytest.mark.parametrize("case", SAME)
def test_an_address_is_the_same_however_it_is_written(tmp_path, case):
    address, table = SAME[case]
    line = f"-e {address}" if "[" in address else address
    source = declared_source(parse_requirement(line, line, Origin(file=tmp_path / "requirements.txt"), root=tmp_path))
    assert source is not None
    assert source.is_met_by(locked_source(table), ours=True)


@pytest.mark.parametrize(
    "line",
    [
        "https://host/x-${VERSION}.whl",
        "https://host/x-1.whl ; python_version < '3'",
        "x @ git+git@host:x.git",
        "x==1",
    ],
)
def test_what_cannot_be_compared_is_not(tmp_path, line):
    origin = Origin(file=tmp_path / "requirements.txt")
    assert declared_source(parse_requirement(line, line, origin, root=tmp_path)) is None
