"""Forms of requirements that are rare: what works, and what is refused, with what to do instead."""

from __future__ import annotations

import pytest

from conftest import versions
from isolate.declarations.read import read_declarations
from isolate.errors import DeclarationError
from kit.packages import build_tree

FORMS = {
    "requirements.txt": "{}\n",
    "pyproject.toml": '[project]\nname = "app"\nversion = "1"\ndependencies = ["{}"]\n',
}


@pytest.mark.parametrize("file", FORMS)
@pytest.mark.parametrize("line", ["lib @ file:./lib", "lib @ file:lib", "lib @ file:./lib ; python_version > '3'"])
def test_a_relative_file_url_starts_from_the_application(application, file, line):
    app = application({file: FORMS[file].format(line), "lib/pyproject.toml": ""})
    [declared] = read_declarations(app).requirements
    assert declared.url == (app / "lib").as_uri()
    assert declared.text.startswith(f"lib @ {(app / 'lib').as_uri()}")
    assert ("python_version" in declared.text) is ("python_version" in line)


@pytest.mark.parametrize("file", FORMS)
def test_a_relative_file_url_is_installed(isolate, application, index, file):
    app = application({file: FORMS[file].format("lib @ file:./lib")})
    build_tree(app / "lib", "lib", "1.0", requires=["alpha"])
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0", "lib": "1.0"}
    isolate("check", cwd=app)
    isolate("sync", "--locked", cwd=app)


@pytest.mark.parametrize("file", FORMS)
def test_a_url_without_a_scheme_is_refused(application, file):
    app = application({file: FORMS[file].format("lib @ ./lib")})
    with pytest.raises(DeclarationError, match=r"file:\./lib"):
        read_declarations(app)


@pytest.mark.parametrize(
    ("line", "hints"),
    [
        ("-c https://host/3.11/constraints.txt", ["`curl -fLo constraints.txt https://host/3.11/constraints.txt`"]),
        ("--constraint=HTTP://host/c.txt?ref=main", ["curl -fLo c.txt 'HTTP://host/c.txt?ref=main'", "`-c c.txt`"]),
        ("-r hTTps://user:s3cr3t@host/raw", ["curl -fLo copied-requirements.txt 'https://****@host/raw'"]),
        ("-e git+https://host/x.git@main#egg=x", ["write `git+https://host/x.git@main#egg=x`", "`-e PATH`"]),
        ("x==1.0 --config-settings=a=b", ["pip wheel --no-deps --wheel-dir wheels", "--config-settings=a=b"]),
        ("x==1.0 --config-setting a=b", ["pip wheel"]),
        ("x==1.0 --global-option=--fast", ["pip wheel", "--global-option=--fast"]),
        ("-e ./lib -C a=b", ["pip wheel"]),
    ],
)
def test_a_refused_line_says_what_to_do(application, line, hints):
    app = application({"requirements.txt": f"{line}\n", "lib/pyproject.toml": ""})
    with pytest.raises(DeclarationError) as error:
        read_declarations(app)
    assert error.value.line == 1
    for hint in hints:
        assert hint.lower() in str(error.value.hint).lower()
    assert "s3cr3t" not in str(error.value)
