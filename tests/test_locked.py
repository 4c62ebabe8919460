"""The record of one distribution."""

from __future__ import annotations

from isolate.locked import LockedDistribution


def test_a_distribution_of_an_older_record_is_read():
    former = {"name": "alpha", "version": "1.0", "identity": "sha256:ab", "table": {"name": "alpha"}}
    current = {"name": "alpha", "version": "1.0", "source_id": "sha256:ab", "table": {"name": "alpha"}}
    assert LockedDistribution.from_dict(former) == LockedDistribution.from_dict(current)
