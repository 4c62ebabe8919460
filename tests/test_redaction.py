"""Credentials are removed from every text and every URL; what is not a credential is kept."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isolate.redaction import redact, without_credentials

WITH_CREDENTIALS = {
    "https://user:secret@host/simple": ("https://****@host/simple", "https://host/simple"),
    "https://secret@host:8080/simple?a#b": ("https://****@host:8080/simple?a#b", "https://host:8080/simple?a#b"),
    "https://user:sec@ret@host/simple": ("https://****@host/simple", "https://host/simple"),
    "https://user:sec'ret@host/simple": ("https://****@host/simple", "https://host/simple"),
    "https://user:s%40cret@[::1]:80/x": ("https://****@[::1]:80/x", "https://[::1]:80/x"),
    "git+https://secret@host/a.git@v1#egg=a": (
        "git+https://****@host/a.git@v1#egg=a",
        "git+https://host/a.git@v1#egg=a",
    ),
    "https://${USER}:secret@host/x": ("https://****@host/x", "https://host/x"),
}
WITHOUT_CREDENTIALS = [
    "https://host/simple",
    "https://host/x@y",
    "https://host/@scope/name",
    "git+ssh://git@host/a.git",
    "git+ssh://git@host/a.git@main",
    "git+https://host/a.git@v1.0",
    "https://${TOKEN}@host/simple",
    "https://${USER}:${PASS_1}@host/simple",
    "file:///home/user/wheels@here",
    "user@host",
]


@pytest.mark.parametrize("url", WITH_CREDENTIALS)
def test_credentials_are_replaced_in_a_text_and_removed_from_a_url(url):
    shown, bare = WITH_CREDENTIALS[url]
    assert redact(f'ERROR: "{url}" (from {url})') == f'ERROR: "{shown}" (from {shown})'
    assert without_credentials(url) == bare


@pytest.mark.parametrize("url", WITHOUT_CREDENTIALS)
def test_a_url_without_credentials_is_unchanged(url):
    assert redact(f"Looking in {url}, {url}") == f"Looking in {url}, {url}"
    assert without_credentials(url) == url


SECRETS = st.text(st.characters(codec="utf-8", exclude_characters='/?#"<>', exclude_categories=["Z", "C"]), min_size=1)


@given(before=st.text(), secret=SECRETS, after=st.text())
def test_no_text_keeps_a_secret(before, secret, after):
    text = f"{before} https://user:{secret}!hidden@host/simple {after}"
    assert "!hidden@host" not in redact(text)


@given(st.text(alphabet="abc:", min_size=1), st.text())
def test_no_text_keeps_a_secret_at_its_end(credentials, rest):
    assert "SECRET" not in redact(f"{rest.replace('SECRET', '')} https://{credentials}SECRET@host/x")


@given(st.text())
def test_redacting_twice_changes_nothing(text):
    assert redact(redact(text)) == redact(text)


UNUSUAL = {
    "a quote": 'https://user:hunt"er2@host/simple',
    "angle brackets": "https://user:<hunter2>@host/simple",
    "a second @": "https://user:hunt@er2@host/simple",
    "escapes": "https://user:hunt%40er%2F2@host/simple",
    "a blank": "https://user:hunt er2@host/simple",
    "a blank in a token": "https://hunt er2@host/simple",
    "a slash": "https://user:hunt/er2@host/simple",
    "a number sign": "https://user:hunt#er2@host/simple",
    "no closing @": "https://user:hunter2",
    "no closing @, and a path": "https://user:hunter2/simple",
    "no closing @, and a quote": 'https://user:"hunter2/simple',
    "an escape sequence": "https://user:hunt\x1ber2@host/simple",
    "git": "git+https://hunter2@host/repo.git@main#egg=a",
    "git over ssh": "git+ssh://me:hunter2@host/repo.git@main",
    "a proxy without a scheme": "me:hunter2@proxy:3128",
    "what Python takes for a port": "Port could not be cast to integer value as 'hunter2'",
    "what http.client takes for a port": "nonnumeric port: 'hunter2'",
    "a query": "https://host/a.whl?token=hunter2",
    "a signature": "https://host/a.whl?X-Amz-Date=1&X-Amz-Signature=hunter2#sha256=abc",
    "a password in a query": "https://host/simple?user=me&password=hunter2",
}


@pytest.mark.parametrize("case", UNUSUAL)
def test_a_password_with_unusual_characters_is_hidden(case):
    url = UNUSUAL[case]
    for text in (url, f"ERROR: cannot reach {url} (from a.txt:3)", f'index-url = "{url}"', f"--index-url={url}\nnext"):
        for part in ("hunt", "er2", "er%2F2"):
            assert part not in redact(text)
    assert "er2" not in without_credentials(url) or "://" not in url


PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="/?#\n"), max_size=20)


@given(user=PASSWORDS, before=PASSWORDS, after=PASSWORDS, text=st.text(alphabet="ab @:/?#\n\"'"))
def test_no_password_is_kept(user, before, after, text):
    url = f"{user}:{before}hunter2{after}@host/simple"
    for shown in (
        redact(f"{text}https://{url} {text}"),
        redact(f"git+ssh://{url}"),
        without_credentials(f"http://{url}"),
    ):
        assert "hunter2" not in shown
        assert "host/simple" in shown


@pytest.mark.parametrize("part", ["://", "?token", "a:", "user:x", "@", "%", ";key=", "://a:b", ",a:", "https://a "])
def test_a_long_text_takes_linear_time(part):
    started = time.process_time()
    redact(part * 200_000)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "text", ["https://host:8080: no answer", "a.txt:3: alpha@1", "git@host:repo@v1", "at 12:30: @x"]
)
def test_other_texts_are_unchanged(text):
    assert redact(text) == text
