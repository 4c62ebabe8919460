"""What a skeleton consists of."""

from __future__ import annotations

from typing import NamedTuple


class TemplateFile(NamedTuple):
    """A part of a skeleton: `kind` is folder, link (`content` is its target) or file; `mode` as `chmod` takes it."""

    path: str
    kind: str
    content: str
    mode: int
