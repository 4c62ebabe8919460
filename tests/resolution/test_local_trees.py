"""A source tree that gains a dependency brings it, whether the application names the tree or another tree does."""

from __future__ import annotations

import shutil

import pytest

from conftest import versions
from kit.packages import build_tree


def requirement(lib, form):
    return {"path": "./lib", "editable": "-e ./lib", "named": f"lib @ {lib.as_uri()}"}[form]


@pytest.mark.parametrize("form", ["path", "editable", "named"])
def test_a_tree_that_gains_a_dependency_brings_it(isolate, application, index, tmp_path, form):
    lib = build_tree(tmp_path / "app/lib", "lib", "1.0", requires=["alpha==1.0"])
    app = application({"requirements.txt": f"{requirement(lib, form)}\nalpha==1.0\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0", "lib": "1.0"}
    shutil.rmtree(lib)
    build_tree(lib, "lib", "1.0", requires=["alpha==1.0", "delta"])
    assert "metadata of lib" in isolate("sync", "--locked", cwd=app, status=2).err
    isolate("check", cwd=app, status=1)
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0", "delta": "1.0", "lib": "1.0"}
    isolate("check", cwd=app)


def test_a_tree_that_another_tree_requires_brings_what_it_gains(isolate, application, index, tmp_path):
    inner = build_tree(tmp_path / "inner", "inner", "1.0")
    build_tree(tmp_path / "outer", "outer", "1.0", requires=[f"inner @ {inner.as_uri()}"])
    app = application({"requirements.txt": f"outer @ {(tmp_path / 'outer').as_uri()}\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"inner": "1.0", "outer": "1.0"}
    shutil.rmtree(inner)
    build_tree(inner, "inner", "1.0", requires=["delta"])
    assert "the metadata of inner" in isolate("check", "--json", cwd=app, status=1).out
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"delta": "1.0", "inner": "1.0", "outer": "1.0"}
    assert "nothing to do" in isolate("sync", cwd=app).out
