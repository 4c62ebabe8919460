"""Which of the locks that an application has is looked at first."""

from __future__ import annotations

import pytest

from conftest import versions

pytestmark = pytest.mark.store("warm")


def considered(result):
    """Return the locks that a command looked at, in order."""
    return [line.partition("considering ")[2] for line in result.err.splitlines() if "considering " in line]


def test_the_lock_of_these_declarations_comes_first_if_the_environment_has_others(isolate, application, index):
    for version in ("1.0", "1.1"):
        app = application({"requirements.txt": f"alpha=={version}\n"})
        isolate("sync", cwd=app)
    application({"requirements.txt": "alpha==1.0\n"})
    looked_at = considered(isolate("sync", "-v", cwd=app))
    assert len(looked_at) == 1
    assert "/locks/" in looked_at[0]
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_the_lock_of_the_environment_comes_first_otherwise(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    looked_at = considered(isolate("sync", "-v", "--verify", cwd=app))
    assert len(looked_at) == 1
    assert looked_at[0].endswith(".venv/.isolate/lock.toml")


def test_a_lock_that_is_not_checked_is_that_of_the_environment(isolate, application, index):
    for version in ("1.0", "1.1"):
        app = application({"requirements.txt": f"alpha=={version}\n"})
        isolate("sync", cwd=app)
    application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", "--frozen", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1"}
