"""The record of one distribution."""

from __future__ import annotations

from conftest import versions
from isolate.locked import LockedDistribution


def test_a_distribution_of_an_older_record_is_read():
    former = {"name": "alpha", "version": "1.0", "identity": "sha256:ab", "table": {"name": "alpha"}}
    current = {"name": "alpha", "version": "1.0", "source_id": "sha256:ab", "table": {"name": "alpha"}}
    assert LockedDistribution.from_dict(former) == LockedDistribution.from_dict(current)


def test_environments_and_entries_with_the_former_keys_keep_working(isolate, application, index, cache):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": "alpha==2.0\n"})
    isolate("sync", cwd=app)
    records = [*(app / ".venv/.isolate").rglob("*.json"), *cache.rglob("manifest.json")]
    assert sum(rename_keys(path) for path in records) > 4
    isolate("check", cwd=app)
    assert "nothing to do" in isolate("sync", "--verify", cwd=app).out
    isolate("rollback", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}


def rename_keys(path):
    """Write the record *path* as earlier versions did, and return whether it had a distribution."""
    text = former = path.read_text()
    for key in ("source_id", "fingerprint"):
        former = former.replace(f'"{key}"', '"identity"')
    path.chmod(0o644)
    path.write_text(former.replace('"compat_tag"', '"interpreter_kind"'))
    return '"source_id"' in text
