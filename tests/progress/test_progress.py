"""What the displays of progress write to standard error."""

from __future__ import annotations

import io
import sys

import pytest

from isolate.progress.board import LiveBoard
from isolate.progress.choose import observer_for, progress_for
from isolate.progress.live import LiveProgress
from isolate.progress.plain import PerApplicationLines, PlainProgress
from isolate.progress.protocol import NullProgress


class Terminal(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self):
        return True


def use_terminal(monkeypatch):
    """Make standard error a terminal; the test calls this, since pytest replaces what a fixture sets."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    return stream


def check_three_entries(progress):
    for number in range(1, 4):
        progress.working("checking 3 entries", f"{number} of 3")


def test_plain_lines_name_an_activity_once_and_never_a_position(capsys):
    check_three_entries(PlainProgress(verbose=False))
    assert capsys.readouterr().err == "checking 3 entries …\n"


def test_plain_lines_of_many_applications_never_name_a_position(capsys):
    lines = PerApplicationLines(PlainProgress(verbose=False))
    lines.on_message("app", "working", ("checking 3 entries", "1 of 3"))
    lines.on_message("app", "working", ("Collecting alpha", ""))
    lines.on_message("app", "say", ("waiting",))
    lines.on_message("app", "detail", ("a detail",))
    assert capsys.readouterr().err == "app: checking 3 entries\napp: waiting\n"


def test_details_are_written_on_request(capsys):
    progress = PlainProgress(verbose=True)
    progress.working("resolving")
    progress.detail("Collecting alpha")
    assert capsys.readouterr().err == "Collecting alpha\n"


def test_a_terminal_shows_the_position(monkeypatch):
    terminal = use_terminal(monkeypatch)
    progress = LiveProgress()
    check_three_entries(progress)
    progress.say("done")
    progress.stop()
    assert "checking 3 entries (3 of 3)" in terminal.getvalue()
    assert "done\n" in terminal.getvalue()


def test_a_board_shows_each_application_at_work_and_how_many_are_done(monkeypatch):
    terminal = use_terminal(monkeypatch)
    with LiveBoard(2) as board:
        for name in ("one", "two"):
            board.on_start(name)
            board.on_message(name, "working", ("checking 3 entries", "1 of 3"))
        board.on_finish("one")
        board.tick()
        with board.paused():
            terminal.write("printed\n")
    shown = terminal.getvalue()
    assert "two: checking 3 entries (1 of 3)" in shown
    assert "1/2" in shown
    assert "printed\n" in shown


@pytest.mark.parametrize(("quiet", "verbose", "expected"), [(True, False, NullProgress), (False, True, PlainProgress)])
def test_options_choose_the_display_even_on_a_terminal(monkeypatch, quiet, verbose, expected):
    use_terminal(monkeypatch)
    with progress_for(quiet=quiet, verbose=verbose) as progress:
        assert type(progress) is expected
    with observer_for(2, quiet=quiet, verbose=verbose) as observer:
        assert type(observer) is PerApplicationLines


def test_without_options_standard_error_chooses_the_display(monkeypatch):
    use_terminal(monkeypatch)
    with progress_for(quiet=False, verbose=False) as progress:
        assert type(progress) is LiveProgress
    with observer_for(2, quiet=False, verbose=False) as observer:
        assert type(observer) is LiveBoard
    for stream, expected in ((io.StringIO(), PlainProgress), (None, NullProgress)):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_for(quiet=False, verbose=False) as progress:
            assert type(progress) is expected
