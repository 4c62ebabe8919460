"""pip obeys what isolate read, and nothing else: it gets one file that isolate wrote, and none of the application's."""

from __future__ import annotations

import codecs
import functools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import versions
from isolate.declarations.read import read_declarations
from isolate.declarations.requirements_text import VARIABLE, decode, logical_lines
from isolate.errors import DeclarationError
from kit.index import LocalIndex
from kit.packages import build_wheel


@pytest.fixture
def evil(tmp_path):
    """Serve a newer `alpha` from an index that no declaration names in a way that isolate reads."""
    directory = tmp_path / "evil"
    build_wheel(directory, "alpha", "9.9", files={"alpha/__init__.py": "evil = True\n"})
    with LocalIndex(directory).serving() as index:
        yield index


def test_an_option_is_not_hidden_by_an_encoding_that_pip_does_not_see(application):
    """As UTF-7, the second line would end with a backslash, and the third would belong to its comment."""
    app = application({})
    (app / "requirements.txt").write_bytes(b" # coding: utf-7\nalpha # +AFw-\n--index-url http://127.0.0.1:1/simple\n")
    assert read_declarations(app).index_options == ("--index-url http://127.0.0.1:1/simple",)


LINES = st.sampled_from(
    [
        *("alpha==1.0", "beta[x]>=1 ; python_version > '3'", "-e ./tree", "--hash=sha256:00", "gamma \\", "delta # c"),
        *(
            "# coding: utf-8",
            " # coding: latin-1",
            "#coding=utf-7",
            "#",
            "\\",
            " \\",
            "x \\ # y",
            "${NAME}==2",
            "${EMPTY}",
        ),
        *("--index-url https://one/simple", "-i https://two/simple", "--find-links=wheels", "--pre", "-f wheels --pre"),
        *("zeta +AFw-", "\tepsilon", "eta\x0btheta", "iota\u2028kappa", "\ufefflambda", ""),
    ]
)


@given(lines=st.lists(LINES, max_size=6), mark=st.sampled_from([b"", codecs.BOM_UTF8]), end=st.sampled_from("\n\r"))
@settings(max_examples=400, deadline=None)
def test_the_text_and_the_lines_are_those_that_pip_reads(lines, mark, end):
    content = mark + end.join(lines).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAME", "name")
        patch.setenv("EMPTY", "")
        assert outcome_of(lines_of_isolate, content) == outcome_of(lines_of_pip, content)


def outcome_of(reader, content):
    """Return what *reader* returns for *content*, or that it refuses it."""
    try:
        return reader(content)
    except (UnicodeError, LookupError):
        return "refused"


def lines_of_isolate(content):
    expand = functools.partial(VARIABLE.sub, lambda match: os.environ.get(match[1]) or match[0])
    return [(line.number, expand(line.text)) for line in logical_lines(decode(content))]


def lines_of_pip(content):
    from pip._internal.req import req_file

    text = req_file._decode_req_file(content, "requirements.txt")
    return [(number, line.strip()) for number, line in req_file.preprocess(text)]


@pytest.mark.parametrize("scheme", ["http", "HTTP", "hTTp", "https", "FTP"])
def test_an_include_of_a_url_is_refused_however_it_is_written(application, scheme):
    app = application({"requirements.txt": f"-r {scheme}://127.0.0.1/more.txt\n"})
    with pytest.raises(DeclarationError, match="including a URL is not supported"):
        read_declarations(app)


def test_an_include_named_by_a_variable_that_pip_sets_itself_is_the_file_that_isolate_read(
    isolate, application, index, evil
):
    files = {
        "requirements.txt": "-r ${PIP_NO_INPUT}.txt\n",
        "1.txt": f"--index-url {evil.url}\nalpha\n",  # pip gets PIP_NO_INPUT=1
        "${PIP_NO_INPUT}.txt": "alpha==1.0\n",
    }
    app = application(files)
    isolate("sync", cwd=app)
    assert versions(app / ".venv")["alpha"] == "1.0"


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("--index-url https://${USER_NAME}:${TOKEN}@host/simple", None),
        ("--index-url=https://${TOKEN}@host/simple", "--index-url https://${TOKEN}@host/simple"),
        ("-i https://${TOKEN}@host/simple", "--index-url https://${TOKEN}@host/simple"),
        ("--extra-index-url https://host/${TOKEN}/simple --pre", "--extra-index-url https://host/${TOKEN}/simple"),
        ("--find-links ${PLACE}", "--find-links {root}/wheels"),
    ],
)
def test_the_value_of_a_variable_is_not_in_what_pip_reads(application, monkeypatch, line, kept):
    for name, value in (("USER_NAME", "user"), ("TOKEN", "s3cr3t/+"), ("PLACE", "wheels")):
        monkeypatch.setenv(name, value)
    app = application({"requirements.txt": f"{line}\nalpha\n", "wheels/README": ""})
    declarations = read_declarations(app)
    assert declarations.index_options[0] == (kept or line).replace("{root}", str(app))
    assert not any("s3cr3t" in option for option in declarations.index_options)


def test_an_index_whose_url_has_variables_is_used(isolate, application, index, monkeypatch):
    scheme, _, rest = index.url.partition("://")
    monkeypatch.setenv("INDEX_PLACE", rest)
    app = application({"requirements.txt": f"--index-url {scheme}://${{INDEX_PLACE}}\nalpha==1.0\n"})
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_the_same_words_in_another_place_get_their_own_artifacts(isolate, application, index, tmp_path, monkeypatch):
    for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    for repository in ("mine", "theirs"):
        files = {"alpha/__init__.py": f"origin = {repository!r}\n"}
        build_wheel(tmp_path / repository / "wheels", "alpha", "1.0", files=files)
        app = application({"requirements.txt": "--no-index\n--find-links ./wheels\nalpha==1.0\n"}, name=repository)
        isolate("sync", cwd=app)
        code = "import alpha; print(alpha.origin)"
        assert isolate("run", "--", "python", "-c", code, cwd=app).out.strip() == repository


def test_the_same_pins_under_another_index_get_its_artifacts(isolate, application, index, tmp_path, monkeypatch):
    pins = {"requirements.txt": "alpha==1.0\n"}
    isolate("sync", cwd=application(pins, name="first"))
    other = tmp_path / "other"
    build_wheel(other, "alpha", "1.0", files={"alpha/__init__.py": "origin = 'other'\n"})
    with LocalIndex(other).serving() as served:
        monkeypatch.setenv("PIP_INDEX_URL", served.url)
        second = application(pins, name="second")
        isolate("sync", cwd=second)
    code = "import alpha; print(getattr(alpha, 'origin', 'first'))"
    assert isolate("run", "--", "python", "-c", code, cwd=second).out.strip() == "other"
