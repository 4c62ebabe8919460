"""What collides, as one HTML page that needs nothing else. Pure but for its template, which lies beside it."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from typing import TYPE_CHECKING

from isolate.conflicts.pins import by_version, packages_of
from isolate.conflicts.text import reason, shown, summary

if TYPE_CHECKING:
    from isolate.conflicts.pins import Conflicts, Pin

PLACE = "{{data}}"


def page(conflicts: Conflicts, *, title: str) -> str:
    """Return an HTML document that shows *conflicts* as packages by applications. It asks nothing of any network.

    Whatever the names hold, they are text on the page: in the document they stand only within one JSON text, in which
    nothing can end it, and the script puts them in as text.
    """
    template = files("isolate.conflicts").joinpath("page.html").read_text(encoding="utf-8")
    before, _, after = template.partition(PLACE)
    return before.replace("{{title}}", _as_text(title)) + embedded(_data(conflicts, title)) + after


def embedded(data: object) -> str:
    """Return *data* as JSON that can stand inside a script element: nothing in it looks like a tag or a comment."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _as_text(title: str) -> str:
    return html.escape(title.encode(errors="replace").decode())


def _data(conflicts: Conflicts, title: str) -> dict[str, object]:
    numbers = {application: number for number, application in enumerate(conflicts.applications)}
    reasons: dict[str, int] = {}
    packages = [_package(name, pins, numbers, reasons) for name, pins in packages_of(conflicts.pins).items()]
    pythons = dict(conflicts.pythons)
    return {
        "title": title,
        "summary": summary(conflicts),
        "applications": conflicts.applications,
        "pythons": [pythons.get(application, "") for application in conflicts.applications],
        "minors": [[minor, len(found)] for minor, found in conflicts.different_python],
        "groups": [[numbers[application] for application in group] for group in conflicts.groups],
        "packages": packages,
        "reasons": list(reasons),
    }


def _package(name: str, pins: list[Pin], numbers: dict[str, int], reasons: dict[str, int]) -> dict[str, object]:
    """Return a row: its versions, the newest first, and its cells: application, version and reasons by number."""
    versions = by_version(pins)
    cells: dict[int, list[int]] = {}
    for rank, (_, found) in enumerate(versions):
        for pin in found:
            number = numbers[pin.application]
            cells.setdefault(number, [number, rank]).append(reasons.setdefault(reason(pin), len(reasons)))
    return {"name": name, "versions": [shown(version) for version, _ in versions], "cells": list(cells.values())}
