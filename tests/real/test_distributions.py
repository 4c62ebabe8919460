"""Distributions of the kinds that make trouble elsewhere."""

from __future__ import annotations

import pytest
from forms import is_right, write

from conftest import site, versions
from kit.packages import build_sdist, build_wheel


@pytest.mark.parametrize("contents", [("same\n", "same\n"), ("core\n", "kinesis\n")])
def test_two_distributions_with_a_file_in_common(isolate, application, index, contents):
    for name, text, requires in (("cdk-core", contents[0], []), ("cdk-kinesis", contents[1], ["cdk-core"])):
        files = {"aws_cdk/README.txt": text, f"aws_cdk/{name[4:]}.py": ""}
        build_wheel(index.directory, name, "1.0", files=files, requires=requires)
    app = application({"requirements.txt": "cdk-kinesis\n"})
    shown = isolate("sync", cwd=app)
    assert ("aws_cdk/README.txt" in shown.out + shown.err) is (contents[0] != contents[1])
    is_right(isolate, app, {"cdk_core": "1.0", "cdk_kinesis": "1.0"})
    assert (site(app) / "aws_cdk/README.txt").read_text() == contents[1]
    write(app, {"requirements.txt": "cdk-core\n"})
    isolate("check", cwd=app, status=1)
    isolate("sync", cwd=app)
    is_right(isolate, app, {"cdk_core": "1.0"})
    assert (site(app) / "aws_cdk/README.txt").read_text() == contents[0]


def test_sdists_with_odd_names(isolate, application, index):
    build_sdist(index.directory, "beta-release", "1.0b1").rename(index.directory / "beta-release-1.0-beta1.tar.gz")
    build_sdist(index.directory, "post", "1.0.post1").rename(index.directory / "post-1.0-1.tar.gz")
    app = application({"requirements.txt": "--pre\nbeta-release\npost\n"})
    isolate("sync", cwd=app)
    is_right(isolate, app, {"beta_release": "1.0b1", "post": "1.0.post1"})
    write(app, {"requirements.txt": "--pre\npost\n"})
    isolate("check", cwd=app, status=1)


def test_extras_that_exclude_each_other(isolate, application, index):
    text = '[project]\nname = "demo"\nversion = "1.0"\ndependencies = ["delta"]\n'
    text += '[project.optional-dependencies]\ncpu = ["alpha==1.0"]\ngpu = ["alpha==2.0"]\n'
    app = application({"pyproject.toml": text})
    for options, expected in (((), {}), (("--extra", "cpu"), {"alpha": "1.0"}), (("--extra", "gpu"), {"alpha": "2.0"})):
        isolate("sync", *options, cwd=app)
        is_right(isolate, app, {"delta": "1.0", **expected}, *options)
    isolate("sync", "--extra", "cpu", "--extra", "gpu", cwd=app, status=2)
    assert versions(app / ".venv") == {"delta": "1.0", "alpha": "2.0"}
    write(app, {"pyproject.toml": text.replace("alpha==2.0", "alpha==1.1")})
    isolate("check", cwd=app, status=1)
