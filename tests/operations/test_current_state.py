"""What an environment is planned to become, by what it holds and what the store has."""

from __future__ import annotations

import subprocess

import pytest

from conftest import inconsistencies, site, versions
from isolate.environment.installed import Installed
from isolate.environment.records import State
from isolate.environment.stamp.mtimes import DirectoryMtimes
from isolate.interpreters.interpreter import Choice
from isolate.locked import LockedDistribution, Selection
from isolate.operations.current_state import CurrentState, Rebuild
from isolate.plan import Target
from kit.pythons import OTHER_PYTHONS

REBUILD = Rebuild("another-reason", "because")


class StoreWith:
    """A store that has one entry."""

    def __init__(self, key):
        self.key = key

    def has(self, key):
        return key == self.key


@pytest.mark.parametrize(
    ("recorded", "planned"), [("cp311/alpha-1.0-a-other-build",) * 2, ("cp312/alpha-1.0-a", "cp311/alpha-1.0-a")]
)
def test_the_recorded_entry_serves_the_same_kind_of_interpreter_alone(recorded, planned):
    installed = {"alpha": Installed("alpha", "1.0", recorded, "sha256:a")}
    state = State("/app/.venv", {}, Selection(), installed=installed)
    current = CurrentState(Choice(None, "because"), state, REBUILD, DirectoryMtimes())
    target = Target(LockedDistribution("alpha", "1.0", "sha256:a", {}), "cp311/alpha-1.0-a")
    plan = current.plan([target], StoreWith(recorded))
    assert [item.key for item in plan.install] == [planned]


def test_another_python_gets_packages_of_its_own(isolate, application, index):
    if not OTHER_PYTHONS:
        pytest.skip("there is no interpreter of another version")
    other = OTHER_PYTHONS[0]
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", app)
    isolate("sync", "--python", other.executable, app)
    assert f"python{other.version.rpartition('.')[0]}" in str(site(app))
    assert versions(app / ".venv") == {"alpha": "1.0"}
    assert inconsistencies(app / ".venv") == []
    subprocess.run([app / ".venv/bin/python", "-c", "import alpha"], check=True)
    assert isolate("check", app).status == 0
