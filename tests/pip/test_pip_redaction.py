"""Credentials stay where the user put them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isolate.pip.redaction import redact, without_credentials

ADDRESSES = {
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
PLAIN = [
    "https://host/simple",
    "https://host/@scope/name",
    "git+ssh://git@host/a.git@main",
    "git+https://host/a.git@v1.0",
    "https://${TOKEN}@host/simple",
    "https://${USER}:${PASS_1}@host/simple",
    "file:///home/somebody/wheels@here",
    "somebody@host",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_credentials_are_replaced_in_a_text_and_leave_an_address(address):
    shown, bare = ADDRESSES[address]
    assert redact(f'ERROR: "{address}" (from {address})') == f'ERROR: "{shown}" (from {shown})'
    assert without_credentials(address) == bare


@pytest.mark.parametrize("address", PLAIN)
def test_an_address_without_credentials_stays_as_it_is(address):
    assert redact(f"Looking in {address}, {address}") == f"Looking in {address}, {address}"
    assert without_credentials(address) == address


SECRETS = st.text(st.characters(codec="utf-8", exclude_characters='/?#"<>', exclude_categories=["Z", "C"]), min_size=1)


@given(before=st.text(), secret=SECRETS, after=st.text())
def test_no_secret_stays_in_any_text(before, secret, after):
    text = f"{before} https://user:{secret}!hidden@host/simple {after}"
    assert "!hidden@host" not in redact(text)


@given(st.text())
def test_what_is_redacted_stays_as_it_is(text):
    assert redact(redact(text)) == redact(text)
