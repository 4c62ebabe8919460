"""Credentials are removed from every text and every URL; what is not a credential is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isolate.pip.redaction import redact, without_credentials

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
