"""Turns dependencies in Poetry's format into requirements, with Poetry's library, whose directory is the argument.

It is run as a program and never imported. It reads JSON from standard input and writes JSON: for each dependency a
requirement, or what is wrong with it.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any


def convert(request: dict[str, Any]) -> dict[str, Any]:
    """Return the requirements for the dependencies in *request*, and a specifier for its constraint of Python."""
    factory = importlib.import_module("poetry.core.factory").Factory
    answer: dict[str, Any] = {"requirements": []}
    for name, constraint in request["dependencies"]:
        try:
            answer["requirements"].append({"text": factory.create_dependency(name, constraint).to_pep_508()})
        except Exception as error:  # noqa: BLE001 - whatever the library raises says what is wrong
            answer["requirements"].append({"error": str(error)})
    if request["python"] is not None:
        versions = importlib.import_module("poetry.core.constraints.version")
        helpers = importlib.import_module("poetry.core.version.helpers")
        try:
            answer["python"] = helpers.format_python_constraint(versions.parse_constraint(request["python"]))
        except Exception as error:  # noqa: BLE001 - as above
            answer["python_error"] = str(error)
    return answer


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    json.dump(convert(json.load(sys.stdin)), sys.stdout)
