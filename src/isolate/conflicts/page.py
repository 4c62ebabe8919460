"""Conflicts as one self-contained HTML page. Pure, except that it reads its template, `page.html`."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from typing import TYPE_CHECKING

from isolate.conflicts.pins import group_by_package, group_by_version
from isolate.conflicts.text import displayed, reason, summary
from isolate.output import printable

if TYPE_CHECKING:
    from isolate.conflicts.pins import Conflicts, Pin

DATA_PLACEHOLDER = "{{data}}"
TITLE_PLACEHOLDER = "{{title}}"


def render_page(conflicts: Conflicts, *, title: str) -> str:
    """Return an HTML document that shows *conflicts* as a matrix of packages and applications, without any network.

    Names cannot inject markup, whatever they contain: the document has them only inside one JSON text, which they
    cannot end, and its script inserts them as text.
    """
    template = files("isolate.conflicts").joinpath("page.html").read_text(encoding="utf-8")
    before, _, after = template.partition(DATA_PLACEHOLDER)
    return before.replace(TITLE_PLACEHOLDER, _escaped(title)) + json_for_script(_shown(_data(conflicts, title))) + after


def json_for_script(data: object) -> str:
    """Return *data* as JSON that is safe inside a script element: nothing in it looks like a tag or a comment."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _escaped(title: str) -> str:
    return html.escape(printable(title))


def _shown(value: object) -> object:
    """Return *value* with every string in it as `printable` returns it."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, (list, tuple)) else value


def _data(conflicts: Conflicts, title: str) -> dict[str, object]:
    """Return what the script of the page reads. Applications and reasons are referred to by their numbers."""
    numbers = {application: number for number, application in enumerate(conflicts.applications)}
    reasons: dict[str, int] = {}
    packages = [_package(name, pins, numbers, reasons) for name, pins in group_by_package(conflicts.pins).items()]
    pythons = dict(conflicts.pythons)
    return {
        "title": title,
        "summary": summary(conflicts),
        "applications": conflicts.applications,
        "pythons": [pythons.get(application, "") for application in conflicts.applications],
        "minors": [[minor, len(applications)] for minor, applications in conflicts.applications_by_python],
        "groups": [[numbers[application] for application in group] for group in conflicts.groups],
        "packages": packages,
        "reasons": list(reasons),
    }


def _package(name: str, pins: list[Pin], numbers: dict[str, int], reasons: dict[str, int]) -> dict[str, object]:
    """Return a row: its versions, newest first, and its cells, each a list of application, version and reasons.

    New reasons are added to *reasons*.
    """
    versions = group_by_version(pins)
    cells: dict[int, list[int]] = {}
    for rank, (_, same_version) in enumerate(versions):
        for pin in same_version:
            number = numbers[pin.application]
            cells.setdefault(number, [number, rank]).append(reasons.setdefault(reason(pin), len(reasons)))
    return {"name": name, "versions": [displayed(version) for version, _ in versions], "cells": list(cells.values())}
