"""What a command was called with, as far as all commands share it."""

from __future__ import annotations


class Options:
    """The options that all commands share.

    The object exists before the command line is parsed, so that an error in it is reported as the options ask for.
    """

    command: str = "sync"
    quiet: bool = False
    verbose: int = 0
    json: bool = False
    all_applications: bool = False
    jobs: int | None = None

    @property
    def is_silent(self) -> bool:
        """Return whether nothing but errors and the JSON document may be printed."""
        return self.quiet or self.json
