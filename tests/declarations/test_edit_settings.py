"""`[tool.isolate]` is written with everything else left as it is, or refused."""

from __future__ import annotations

import pytest

from isolate.declarations.edit_settings import with_settings

VALUES = {"requirements": ["a.txt"], "python": "3.12"}
WRITTEN = 'requirements = [\n    "a.txt",\n]\npython = "3.12"\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"[tool.isolate]\n{WRITTEN}"),
        ("[project] # mine", f"[project] # mine\n\n[tool.isolate]\n{WRITTEN}"),
        ("a = 1\n\n\n", f"a = 1\n\n[tool.isolate]\n{WRITTEN}"),
        ("[tool.isolate]\n", f"[tool.isolate]\n{WRITTEN}"),
        (
            "[tool . isolate] # x\nlink-mode = 'copy' # y\n\n[other]\nrequirements = 1\n",
            f"[tool . isolate] # x\nlink-mode = 'copy' # y\n{WRITTEN}\n[other]\nrequirements = 1\n",
        ),
        (
            "[tool.isolate]\n\"python\" = '3.9'\nrequirements = [ # why\n  'b]', # c\n  \"d\",\n]\nexclude = []\n[x]\n",
            '[tool.isolate]\npython = "3.12"\nrequirements = [\n    "a.txt",\n]\nexclude = []\n[x]\n',
        ),
    ],
)
def test_the_keys_are_written_and_the_rest_stays(before, after):
    assert with_settings(before, VALUES) == after
    assert with_settings(after, VALUES) == after


def test_line_ends_stay():
    assert (
        with_settings("[a]\r\nb = 1\r\n", {"python": "3"}) == '[a]\r\nb = 1\r\n\r\n[tool.isolate]\r\npython = "3"\r\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        "[tool]\nisolate = { python = '3' }\n",
        "tool.isolate.python = '3'\n",
        "[tool]\nisolate.python = '3'\n",
        "x = '''\n[tool.isolate]\n'''\n",
    ],
)
def test_other_forms_are_refused(text):
    with pytest.raises(ValueError, match="table"):
        with_settings(text, VALUES)
