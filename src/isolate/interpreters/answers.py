"""What one run of the command found out about interpreters, shared by all of its processes.

A shim that fails may work later, where one leads may change, and a Python may be installed: none of that is remembered
for the next run. But within one run, many applications ask the same, and each answer costs tenths of a second.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from isolate import fs
from isolate.bounded_read import read_json
from isolate.locks import flock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Answers(NamedTuple):
    """The answers of one run of the command, in `directory`; `run` tells them from those of other runs.

    Without a directory, or without the name of a run, nothing is shared.
    """

    directory: Path | None = None
    run: str = ""

    def ask(self, question: list[str], find: Callable[[], Any]) -> Any:
        """Return the answer to *question*, a value that JSON can represent; *find* is called if there is none yet.

        Other processes that ask meanwhile wait for the answer.
        """
        if self.directory is None or not self.run:
            return find()
        name = hashlib.sha256(os.fsencode("\0".join(question))).hexdigest()[:24]
        record, asked = self.directory / f"run-{name}.json", [self.run, *question]
        with self._locked():
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                table = read_json(record)
                if table["asked"] == asked:
                    return table["answer"]
            answer = find()
            with contextlib.suppress(OSError):  # it is found again each time
                content = json.dumps({"asked": asked, "answer": answer}).encode()
                fs.write(record, content, staging=self.directory)
        return answer

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = None if self.directory is None else self.directory / "lock"
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):  # read-only
                if lock is not None:
                    lock.parent.mkdir(parents=True, exist_ok=True)
                    lock.touch()
                    stack.enter_context(flock(lock))
            yield
