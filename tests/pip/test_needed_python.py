"""Which Python packages need, by what pip says when it fails."""

from __future__ import annotations

import pytest

from isolate.pip.needed_python import NeededPython, needed_pythons

IGNORED = "ERROR: Ignored the following versions that require a different python version: {}\n"
UNSATISFIED = "ERROR: Could not find a version that satisfies the requirement {} (from versions: {})\n"
OUTPUTS = {
    "ERROR: Package 'alpha' requires a different Python: 3.11.7 not in '>=3.12'\n": {"alpha": (">=3.12",)},
    "ERROR: Packages require a different Python. 3.11.7 not in:\n"
    "'>=3.12' (required by alpha 1.0)\n'<3.11,>=3.8' (required by alpha 0.9)\n'>=3.13' (required by beta 1 from x)\n": {
        "alpha": (">=3.12", "<3.11,>=3.8"),
        "beta": (">=3.13",),
    },
    IGNORED.format("1.0 Requires-Python >=3.8; 2.0 Requires-Python >=3.12; 2.0.1 Requires-Python >=3.13")
    + UNSATISFIED.format("alpha==2.0", "0.9"): {"alpha": (">=3.12",)},
    IGNORED.format("2.0 Requires-Python >=3.12; 2.0.1 Requires-Python >=3.13")
    + UNSATISFIED.format("alpha>=2 (from beta)", "none"): {"alpha": (">=3.13", ">=3.12")},
    IGNORED.format("1.0 Requires-Python >=3.8") + UNSATISFIED.format("alpha==2.0", "none"): {},
    UNSATISFIED.format("alpha==2.0", "none"): {},
    IGNORED.format("?; 2.0 Requires-Python nonsense; 2.0") + UNSATISFIED.format("alpha==2.0", "none"): {},
    IGNORED.format("2.0 Requires-Python >=3.12"): {},
    "": {},
}


@pytest.mark.parametrize(("output", "needed"), OUTPUTS.items())
def test_what_pip_says_about_the_python_is_understood(output, needed):
    assert needed_pythons(output) == tuple(NeededPython(*item) for item in needed.items())


@pytest.mark.parametrize(("version", "is_met"), [("3.12.1", True), ("3.9.18", True), ("3.11.7", False)])
def test_one_of_the_releases_has_to_be_possible(version, is_met):
    needed = NeededPython("alpha", (">=3.12", "<3.11"))
    assert needed.is_met_by(version) == is_met
    assert str(needed) == "alpha requires Python >=3.12 or <3.11"
