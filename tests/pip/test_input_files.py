"""A locked distribution becomes a line of a requirements file for pips that cannot read a lock."""

from __future__ import annotations

from isolate.locked import LockedDistribution
from isolate.pip.input_files import requirement_line


def test_an_artifact_is_named_by_its_url_and_its_hash():
    table = {"wheels": [{"url": "https://h/a-1.whl", "hashes": {"sha256": "ab"}}]}
    locked = LockedDistribution(name="a", version="1", source_id="sha256:ab", table=table)
    assert requirement_line(locked) == "a @ https://h/a-1.whl --hash=sha256:ab"
