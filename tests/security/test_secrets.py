"""No password and no token appears in an output, a lock or a record, wherever the user wrote it."""

from __future__ import annotations

import pytest

SECRET = ("hunt", "er2")
PASSWORDS = ("hunter2", 'hunt"er2', "hunt<er2>", "hunt@er2", "hunt%40er2", "hunt%20er2")
HOST = "127.0.0.1:1"
COMMANDS = (("sync", "-vv"), ("sync", "--json"), ("check", "-v"), ("sync", "--dry-run"), ("conflicts", "--json"))


def placed(password):
    """Return files and variables with *password*, by where it is."""
    url = f"https://me:{password}@{HOST}"
    return {
        "an index": ({"requirements.txt": f"--index-url {url}/simple\nalpha\n"}, {}),
        "a direct URL": ({"requirements.txt": f"alpha @ {url}/alpha-1.0-py3-none-any.whl\n"}, {}),
        "a query": ({"requirements.txt": f"alpha @ https://{HOST}/alpha-1.0-py3-none-any.whl?token={password}\n"}, {}),
        "a git URL": ({"requirements.txt": f"alpha @ git+{url}/alpha.git@main\n"}, {}),
        "an invalid line": ({"requirements.txt": f"alpha @@ {url}/x\n"}, {}),
        "a URL without an end": ({"requirements.txt": f"--extra-index-url https://me:{password}\nalpha\n"}, {}),
        "a variable of pip": ({"requirements.txt": "alpha\n"}, {"PIP_INDEX_URL": f"{url}/simple"}),
        "a proxy": ({"requirements.txt": "alpha\n"}, {"PIP_PROXY": f"http://me:{password}@{HOST}"}),
        "a variable": (
            {"requirements.txt": "--index-url https://${NAME}@127.0.0.1:1/simple\nalpha\n"},
            {"NAME": f"me:{password}"},
        ),
        "a lock": (
            {
                "requirements.txt": "alpha\n",
                "pylock.toml": 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "alpha"\n'
                "version = '1.0'\n[[packages.wheels]]\nhashes = { sha256 = 'a' }\n"
                f"url = '{url}/beta-1.0-py3-none-any.whl'\n",
            },
            {},
        ),
        "a broken configuration": (
            {"requirements.txt": "alpha\n", "pip.conf": f"[global]\n{password}\nindex-url = {url}\n"},
            {"PIP_CONFIG_FILE": "pip.conf"},
        ),
    }


@pytest.mark.parametrize("place", placed(""))
def test_no_password_appears(isolate, application, cache, place):
    for number, password in enumerate(PASSWORDS):
        if place == "a URL without an end" and "@" in password:
            continue  # what follows the @ is a host by then
        files, environ = placed(password)[place]
        app = application(files, name=f"app{number}")
        commands = COMMANDS if number == 0 else COMMANDS[:1]
        if place == "a URL without an end":  # pip itself fails, and -vv shows its traceback
            commands = (("sync",), *commands[1:])
        for command in commands:
            variables = {"PIP_RETRIES": "0", "PIP_TIMEOUT": "2", **environ}
            result = isolate(*command, cwd=app, status=None, env=variables)
            assert result.status in (0, 1, 2)
            for part in SECRET:
                assert part not in result.out + result.err, (password, command)
        written = [path for path in (*app.rglob("*"), *cache.rglob("*")) if path.is_file() and path.name not in files]
        assert [path for path in written if SECRET[0].encode() in path.read_bytes()] == []


def test_a_lock_without_the_token_of_a_query_is_up_to_date(isolate, application, index):
    """The lock has `****` in place of the token, and pip gets the token all the same."""
    url = index.url.replace("simple/", "files/alpha-1.0-py3-none-any.whl")
    app = application({"requirements.txt": f"alpha @ {url}?token=hunter2&x=1\n"})
    isolate("sync", cwd=app)
    assert "hunter2" not in (app / "pylock.toml").read_text()
    assert isolate("check", cwd=app).out.startswith("OK")
    assert "pylock.toml is up to date" in isolate("lock", "--check", cwd=app).out
    (app / "requirements.txt").write_text(f"alpha @ {url}?token=hunter2&x=2\n")
    isolate("lock", "--check", cwd=app, status=1)
