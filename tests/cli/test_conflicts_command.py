"""`isolate conflicts` on the applications of a repository."""

from __future__ import annotations

import json
import os

import pytest

from conftest import SOURCE

pytestmark = pytest.mark.store("warm")


def test_conflicts_shows_which_applications_conflict_and_why(isolate, repository, tmp_path):
    isolate("lock", "--all", "-q", cwd=repository)
    result = isolate("conflicts", cwd=repository)
    assert "    tools: via beta, from beta<2 (pyproject.toml:3)" in result.out.splitlines()
    assert result.out.splitlines()[-1].startswith("2 packages conflict across 3 applications")
    document = json.loads(isolate("conflicts", "--json", repository).out)
    assert [conflict["name"] for conflict in document["conflicts"]] == ["alpha", "beta"]
    isolate("conflicts", "--fail", "-q", cwd=repository, status=1)
    assert "wrote" in isolate("conflicts", "--html", tmp_path / "page.html", cwd=repository).out
    refused = isolate("conflicts", "--html", tmp_path / "nowhere/page.html", cwd=repository, status=2)
    assert "nowhere/page.html cannot be written: No such file or directory" in refused.err
    (repository / "tools/pyproject.toml").write_text("[project")
    result = isolate("conflicts", cwd=repository, status=2)
    assert result.out.splitlines()[-1] == "skipped (errors): tools"
    assert "services/shop/admin" in (tmp_path / "page.html").read_text()


def test_a_report_that_cannot_be_written_leaves_the_old_one(isolate, repository, tmp_path):
    page = tmp_path / "pages/page.html"
    page.parent.mkdir()
    page.write_text("old")
    page.chmod(0o600)
    (tmp_path / "link.html").symlink_to(page)
    full = {"PYTHONPATH": f"{tmp_path}/full{os.pathsep}{SOURCE}"}
    (tmp_path / "full").mkdir()
    (tmp_path / "full/sitecustomize.py").write_text("import resource as r\nr.setrlimit(r.RLIMIT_FSIZE, (9999, 9999))\n")
    isolate("lock", "--all", "-q", cwd=repository)
    refused = isolate("conflicts", "--html", page, cwd=repository, status=2, env=full)
    assert f"{page} cannot be written: File too large" in refused.err
    assert page.read_text() == "old"
    isolate("conflicts", "--html", tmp_path / "link.html", cwd=repository)
    assert "</html>" in page.read_text()
    assert page.stat().st_mode & 0o777 == 0o600
    assert [*page.parent.iterdir()] == [page]
    assert "</html>" in isolate("conflicts", "--html", "/dev/stdout", cwd=repository).out


def test_conflicts_uses_declared_pins_without_a_lock(isolate, repository):
    document = json.loads(isolate("conflicts", "--json", repository / "services").out)
    (alpha,) = document["conflicts"]
    assert [version["version"] for version in alpha["versions"]] == ["2.0", "1.0"]
