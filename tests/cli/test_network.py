"""Syncs from the real package index; skipped if it cannot be reached."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from conftest import UNWANTED_VARIABLES, inconsistencies, versions

pytestmark = pytest.mark.network
SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


@pytest.fixture(scope="session")
def _reachable(tmp_path_factory):
    environ = {name: value for name, value in os.environ.items() if not name.startswith(UNWANTED_VARIABLES)} | SETTINGS
    directory = tmp_path_factory.mktemp("reach")
    command = [
        sys.executable,
        "-I",
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--retries",
        "0",
        "-d",
        directory,
        "idna==3.10",
    ]
    done = subprocess.run(command, env=environ, capture_output=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip("the package index cannot be reached")


@pytest.fixture(autouse=True)
def _settings(_reachable, monkeypatch):
    monkeypatch.delenv("PIP_CONFIG_FILE")
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


def test_one_pin_is_resolved_and_synced_twice_to_the_same_environment(isolate, application):
    app = application({"requirements.txt": "requests==2.32.3\n"})
    isolate("sync", cwd=app)
    first = versions(app / ".venv")
    assert set(first) == {"requests", "certifi", "charset_normalizer", "idna", "urllib3"}
    assert (app / "pylock.toml").exists()
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == first
    assert inconsistencies(app / ".venv") == []
    isolate("run", "--", "python", "-c", "import requests", cwd=app)


def test_uv_reads_the_lock(isolate, application, tmp_path):
    app = application({"requirements.txt": "idna==3.10\nuv\n"})
    isolate("sync", cwd=app)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "other"], check=True)
    command = [app / ".venv/bin/uv", "pip", "sync", "--no-config", "--python", tmp_path / "other", app / "pylock.toml"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "UV_CACHE_DIR": str(tmp_path / "uv")}
    )
    assert done.returncode == 0, done.stderr
    assert versions(tmp_path / "other") == versions(app / ".venv")
