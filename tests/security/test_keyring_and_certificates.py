"""pip runs without a keyring of its own, and trusts the certificate authorities that the user names."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from conftest import versions
from isolate.pip.settings import CERTIFICATE_VARIABLES, asks_for_imported_keyring, pip_environment
from kit.index import LocalIndex
from kit.packages import build_wheel

SAID = "keyring-provider=import counts as subprocess"
KEYRING = """\
#!/bin/sh
echo "$@" >> {log}
echo '{answer}'
"""


@pytest.fixture
def private_index(tmp_path, monkeypatch):
    """Return an index that demands credentials, and make pip use it."""
    directory = tmp_path / "private"
    build_wheel(directory, "alpha", "1.0")
    with LocalIndex(directory, credentials="me:secret").serving() as index:
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        monkeypatch.setenv("PIP_RETRIES", "0")
        yield index


@pytest.fixture
def keyring(tmp_path, monkeypatch):
    """Put a program `keyring` on `PATH` that knows the credentials, and return its log."""
    program, log = tmp_path / "tools/keyring", tmp_path / "keyring.log"
    program.parent.mkdir()
    program.write_text(KEYRING.format(log=log, answer=json.dumps({"username": "me", "password": "secret"})))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return log


@pytest.mark.parametrize("place", ["variable", "file"])
def test_an_imported_keyring_is_replaced_by_the_program_and_that_is_said_once(
    isolate, application, private_index, keyring, tmp_path, place
):
    environ = {"PIP_KEYRING_PROVIDER": "import"}
    if place == "file":
        (tmp_path / "pip.conf").write_text("[global]\nkeyring-provider = import\n")
        environ = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    app = application({"requirements.txt": "alpha\n"})
    error = isolate("sync", cwd=app, env=environ).err
    assert error.count(SAID) == 1
    assert versions(app / ".venv") == {"alpha": "1.0"}
    assert private_index.url.removesuffix("simple/") in keyring.read_text() or "127.0.0.1" in keyring.read_text()
    assert "secret" not in error


@pytest.mark.parametrize("provider", ["subprocess", "disabled", "auto"])
def test_nothing_is_said_about_other_providers(isolate, application, index, provider):
    app = application({"requirements.txt": "alpha\n"})
    assert SAID not in isolate("sync", cwd=app, env={"PIP_KEYRING_PROVIDER": provider}).err


def test_both_ways_to_import_are_the_same_setting(tmp_path):
    environ = {"PIP_KEYRING_PROVIDER": "import", "PIP_CONFIG_FILE": "/dev/null"}
    assert asks_for_imported_keyring(environ, tmp_path)
    assert pip_environment(environ, prefix=tmp_path)["PIP_KEYRING_PROVIDER"] == "subprocess"


def openssl(*arguments, cwd):
    subprocess.run(["openssl", *arguments], cwd=cwd, capture_output=True, check=True)


@pytest.fixture
def authority(tmp_path):
    """Return a directory with a private certificate authority, `ca.pem`, and a certificate of it for 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    directory = tmp_path / "authority"
    directory.mkdir()
    (directory / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    ca = ("-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test authority")
    openssl("req", "-x509", *key, *ca, cwd=directory)
    openssl("req", *key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=127.0.0.1", cwd=directory)
    signer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    openssl("x509", "-req", "-in", "request.pem", "-out", "certificate.pem", *signer, cwd=directory)
    return directory


@pytest.fixture
def https_index(authority, tmp_path, monkeypatch):
    """Return an index with a certificate of the private authority, and make pip use it."""
    for variable in CERTIFICATE_VARIABLES:  # those of this machine; requests prefers some of them to `--cert`
        monkeypatch.delenv(variable, raising=False)
    build_wheel(tmp_path / "index", "alpha", "1.0")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "certificate.pem", authority / "key.pem")
    with LocalIndex(tmp_path / "index", tls=context).serving() as index:
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        monkeypatch.setenv("PIP_RETRIES", "0")
        yield index


def test_an_unknown_authority_is_not_trusted(isolate, application, https_index):
    app = application({"requirements.txt": "alpha\n"})
    assert "certificate" in isolate("sync", cwd=app, status=2).err.lower()


@pytest.mark.parametrize("variable", ["PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("is_absolute", [True, False])
def test_a_private_authority_is_trusted_by_the_usual_variables(
    isolate, application, https_index, authority, variable, is_absolute
):
    app = application({"requirements.txt": "alpha\n"})
    shutil.copy(authority / "ca.pem", app / "ca.pem")
    path = str(authority / "ca.pem") if is_absolute else "ca.pem"
    isolate("sync", cwd=app, env={variable: path})
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_a_private_authority_is_trusted_by_a_configuration_file(isolate, application, https_index, authority, tmp_path):
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\ncert = {authority / 'ca.pem'}\n")
    app = application({"requirements.txt": "alpha\n"})
    isolate("sync", cwd=app, env={"PIP_CONFIG_FILE": str(config)})
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_directories_of_certificates_may_be_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environ = {"SSL_CERT_DIR": "one:/two", "SSL_CERT_FILE": "", "PIP_CONFIG_FILE": "/dev/null"}
    kept = pip_environment(environ, prefix=Path("/x"))
    assert kept["SSL_CERT_DIR"] == f"{tmp_path}/one:/two"
    assert kept["SSL_CERT_FILE"] == ""
