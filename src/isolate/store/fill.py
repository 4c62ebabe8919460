"""pip fills the store: what is missing is installed into a scratch prefix, and each distribution becomes an entry."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from isolate import process
from isolate.cores import cores
from isolate.errors import BadArtifact
from isolate.lock.selection import as_locked
from isolate.pip.command import install_argv
from isolate.pip.feeding import write_partial
from isolate.pip.redaction import redact
from isolate.pip.report import read_report
from isolate.report import Silent
from isolate.store.intake import read_prefix, take_in
from isolate.store.manifest import Manifest, write_manifest
from isolate.store.portions import pips_for, portions
from isolate.store.siblings import share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from isolate.lock.model import Locked
    from isolate.pip.report import Reported
    from isolate.report import Progress
    from isolate.store.intake import Taken
    from isolate.store.layout import Entry, Store

HEARD = ("Collecting ", "Downloading ", "Building ", "Installing ", "Preparing ", "Getting ")
"""How those lines of pip begin that say what it is at."""


@dataclass(frozen=True, kw_only=True)
class Pip:
    """The pip of an application's environment, and what it needs to know to work.

    `python` is the interpreter to run it with, `kind` that interpreter's kind, `version` pip's own. `env` is its whole
    environment. `options` are lines of index options for a requirements file. `progress` hears what pip says.
    """

    python: Path
    kind: str
    version: str
    env: Mapping[str, str]
    options: tuple[str, ...] = ()
    progress: Progress = field(default_factory=Silent)

    def install(self, wanted: Sequence[Locked], scratch: Path) -> Path:
        """Install exactly *wanted* into a new prefix below *scratch* and return it; raise `PipFailed`, explained."""
        requirements = write_partial(wanted, scratch, pip_version=Version(self.version), options=self.options)
        return self._install(requirements, scratch)

    def install_reported(self, requirements: Path, scratch: Path) -> tuple[list[Reported], Path]:
        """Install exactly what a requirements file asks for, likewise, and return what pip reports as well."""
        report = scratch / "report.json"
        prefix = self._install(requirements, scratch, "--report", str(report))
        return list(read_report(report.read_text(encoding="utf-8")).items), prefix

    def _install(self, requirements: Path, scratch: Path, *more: str) -> Path:
        prefix = scratch / "prefix"
        argv = (*install_argv(self.python, requirements=requirements, prefix=prefix), *more)
        finished = self.run(argv, cwd=scratch, scratch=scratch)
        if finished.status:
            from isolate.pip.explanation import explain  # noqa: PLC0415 - only a failure needs it

            raise explain(redact(finished.output + finished.errors), declared=())
        return prefix

    def run(self, argv: Sequence[str], *, cwd: Path, scratch: Path) -> process.Finished:
        """Run a command line of this pip in *cwd* and return how it ended.

        Its temporary files lie in *scratch*, which whoever calls clears away: a pip that is ended leaves them.
        """
        env = {**self.env, "TMPDIR": str(scratch)}
        return process.run(argv, env=env, cwd=cwd, on_line=self._heard, on_silence=self._silent)

    def _heard(self, line: str) -> None:
        self.progress.detail(redact(line))
        if line.lstrip().startswith(HEARD):
            self.progress.working(redact(line.strip()))

    def _silent(self, seconds: float) -> None:
        self.progress.say(f"still waiting for pip, which has said nothing for {seconds:.0f} s")


def fill(
    store: Store, missing: Mapping[str, Locked], pip: Callable[[], Pip], *, on_wait: Callable[[], None] | None = None
) -> None:
    """See to it that the store has an entry for each of *missing* (by key), by way of *pip*.

    Raises `PipFailed` or `BadArtifact`; the entries that were sound stay, the rest is as it was.
    """
    from isolate.crew import together  # noqa: PLC0415 - mostly nothing is missing

    own = pip()  # before the lock, which making it may need
    with store.filling(on_wait):
        still_missing = {key: locked for key, locked in missing.items() if not store.has(key)}
        together([partial(_fill, store, portion, own) for portion in portions(still_missing, cores())], own.progress)


def fill_from_pins(store: Store, lines: Sequence[str], pip: Pip) -> list[Reported]:
    """Let *pip* install what *lines* of a requirements file pin, and nothing that it needs; return what it reports.

    The store then has an entry for each that has a hash. Whoever calls is the only one who fills the store. Raises as
    `fill` does.
    """
    from isolate.crew import together  # noqa: PLC0415 - mostly nothing is missing

    number = pips_for(len(lines), cores())
    tasks = [partial(_fill_from_pins, store, lines[first::number], pip) for first in range(number)]
    return [item for items in together(tasks, pip.progress) for item in items]


def _fill_from_pins(store: Store, lines: Sequence[str], pip: Pip, progress: Progress) -> list[Reported]:
    with store.scratch() as scratch:
        requirements = scratch / "pins.txt"
        requirements.write_text("".join(f"{line}\n" for line in (*pip.options, *lines)), encoding="utf-8")
        items, prefix = replace(pip, progress=progress).install_reported(requirements, scratch)
        locked = [as_locked(item) for item in items if item.hashes]
        keys = (store.key(pip.kind, one.name, one.version, one.identity) for one in locked)
        publish(store, dict(zip(keys, locked, strict=True)), prefix, pip)
    return items


def _fill(store: Store, missing: Mapping[str, Locked], pip: Pip, progress: Progress) -> None:
    with store.scratch() as scratch:
        prefix = replace(pip, progress=progress).install(list(missing.values()), scratch)
        publish(store, missing, prefix, pip)


def publish(store: Store, wanted: Mapping[str, Locked], prefix: Path, pip: Pip) -> None:
    """Make entries of what pip installed into *prefix*; raise `BadArtifact` if it is not exactly *wanted* (by key)."""
    found = read_prefix(prefix)
    for key, locked in wanted.items():
        taken = found.get(locked.name)
        if taken is None or not same_version(locked.version, taken.version):
            facts = (f"wanted {locked.name} {locked.version}", f"found {taken.version if taken else 'nothing'}")
            raise BadArtifact(
                f"the artifact of {locked.name} holds something else", facts=facts, hint="run `isolate lock`"
            )
        if not locked.is_direct:
            taken = without_direct_url(taken, prefix)
        with store.scratch() as scratch:
            siblings = store.siblings(pip.kind, locked.name)
            prepare(taken, prefix, scratch / "entry", locked.identity, pip, siblings=siblings)
            store.publish(scratch / "entry", key)


def prepare(  # noqa: PLR0913 - what an entry consists of, and where from
    taken: Taken, prefix: Path, target: Path, identity: str, pip: Pip, *, siblings: Sequence[Entry] = ()
) -> None:
    """Make in *target* all that an entry consists of; files that *siblings* have too are shared with them."""
    target.mkdir()
    files = take_in(taken, prefix, target, str(pip.python))
    manifest = Manifest(
        name=taken.name,
        version=taken.version,
        identity=identity,
        interpreter_kind=pip.kind,
        pip=pip.version,
        files=share(files, target / "files", siblings),
    )
    write_manifest(manifest, target)


def same_version(locked: str | None, installed: str) -> bool:
    """Say whether an installed version is the locked one, however each is spelled (PEP 440)."""
    return locked is None or Version(locked) == Version(installed)


def without_direct_url(taken: Taken, prefix: Path) -> Taken:
    """Take out the address that an older pip was fed with: PEP 610 allows it only where the user gave one."""
    path = f"{os.path.dirname(taken.record)}/direct_url.json"
    if path not in taken.claims:
        return taken
    with contextlib.suppress(FileNotFoundError):
        (prefix / path).unlink()
    record = prefix / taken.record
    rows = record.read_text(encoding="utf-8").splitlines(keepends=True)
    record.write_text("".join(row for row in rows if "/direct_url.json," not in row), encoding="utf-8")
    claims = {claim: digest for claim, digest in taken.claims.items() if claim != path}
    return type(taken)(name=canonicalize_name(taken.name), version=taken.version, record=taken.record, claims=claims)
