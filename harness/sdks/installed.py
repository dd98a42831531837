"""Installed SDKs: their versions, and the HTTP libraries they are built on."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Literal, TypeAlias

from harness.errors import InputError

HttpLibrary: TypeAlias = Literal["httpx2", "httpx"]

INSTALL = "pip install 'llm-stream-harness[sdks]'"
_NAME = re.compile(r"[\w.-]+")  # a requirement begins with the name of what is required


def version_of(distribution: str) -> str | None:
    """Return the installed version of a distribution; None if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def http_library(distribution: str) -> HttpLibrary:
    """Return the HTTP library an installed SDK is built on; the classes of the two do not mix.

    Args:
        distribution: the SDK's name in a package index, e.g. ``google-genai``.

    Raises:
        InputError: it is not installed.
    """
    try:
        always = [line for line in requires(distribution) or () if "extra ==" not in line]
    except PackageNotFoundError:
        raise InputError(f"{distribution} is not installed; {INSTALL}") from None
    required = (_NAME.match(line) for line in always)
    return "httpx2" if "httpx2" in {name[0] for name in required if name} else "httpx"
