"""Six applications that share most packages and disagree on some."""

from __future__ import annotations

from isolate.conflicts.pins import Pin

PYTHONS = {
    "services/shop": "3.12.4",
    "services/accounts": "3.12.4",
    "services/search": "3.12.1",
    "workers/mail": "3.12.4",
    "reports": "3.10.14",
    "tools/import-catalogue": "",
}
COMMON = {
    "certifi": "2024.7.4",
    "idna": "3.7",
    "urllib3": "2.2.2",
    "charset-normalizer": "3.3.2",
    "requests": "2.32.3",
}
PINNED = {
    "services/shop": {"django": "5.0.6", "asgiref": "3.8.1", "sqlparse": "0.5.1", "celery": "5.4.0", "kombu": "5.3.7"},
    "services/accounts": {"django": "4.2.14", "asgiref": "3.8.1", "sqlparse": "0.5.1", "pyjwt": "2.8.0"},
    "services/search": {
        "fastapi": "0.111.0",
        "starlette": "0.37.2",
        "pydantic": "2.8.2",
        "pydantic-core": "2.20.1",
        "numpy": "2.0.0",
        "elasticsearch": "8.14.0",
    },
    "workers/mail": {"celery": "5.2.7", "kombu": "5.2.4", "pydantic": "2.8.2", "pydantic-core": "2.20.1"},
    "reports": {"pandas": "1.5.3", "numpy": "1.26.4", "matplotlib": "3.8.4", "pillow": "10.3.0", "django": "3.2.25"},
    "tools/import-catalogue": {
        "pydantic": "1.10.17",
        "numpy": "1.24.4",
        "pandas": "2.0.3",
        "openpyxl": "3.1.5",
        "lxml": "5.2.2",
        "pillow": "10.3.0",
        "django": "2.2.28",
        "rich": "13.7.1",
    },
}
THROUGH = {
    "asgiref": ("django",),
    "sqlparse": ("django",),
    "kombu": ("celery",),
    "starlette": ("fastapi",),
    "pydantic-core": ("fastapi", "pydantic"),
    "idna": ("requests",),
    "certifi": ("requests",),
    "urllib3": ("requests",),
    "charset-normalizer": ("requests",),
}


def example_pins() -> list[Pin]:
    """Return the pins of all six."""
    return [
        pin(application, name, version)
        for application, own in PINNED.items()
        for name, version in {**COMMON, **own}.items()
    ]


def pin(application: str, name: str, version: str) -> Pin:
    """Return a pin, with the declaration that brings *name* in."""
    through = THROUGH.get(name, ())
    return Pin(
        application=application,
        name=name,
        version=version,
        declared=f"{through[0] if through else name}>=1 (pyproject.toml:7)",
        through=through,
    )
