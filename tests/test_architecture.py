"""The house stands: floors, single doors, sizes, and a help page that costs nothing.

A room is a module or package directly below ``harness``. It imports only rooms of lower floors;
every import counts, also one inside a function, one for types only, and one that is spelled as a
string. Every dependency has its doors, and no other room touches it.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HARNESS = Path(__file__).parent.parent / "harness"
MODULES = sorted(HARNESS.rglob("*.py"))

# DESIGN section 2. ``__main__`` is the cellar door to cli, so it stands above it; ``__init__`` is
# the front door, which imports what is behind it when it is used.
FLOORS = {
    "model": 0, "errors": 0,
    "wire": 1, "yaml_file": 1, "atomic_file": 1, "simulation": 1,
    "protocols": 2,
    "streaming": 3, "cassettes": 3,
    "playback": 4, "scenarios": 4,
    "targets": 5, "generation": 5, "checks": 5, "auditing": 5,
    "engine": 6,
    "fuzzing": 7, "comparing": 7,
    "reports": 8, "demo": 8,
    "pytest_plugin": 9, "cli": 9,
    "__main__": 10, "__init__": 10,
}  # fmt: skip
NEIGHBOURS = {("errors", "model")}  # a StreamError carries the noun ErrorInfo; for its type alone
DOORS = {
    "pydantic": {"model", "streaming"},
    "yaml": {"yaml_file"},
    "openai": {"targets"},
    "anthropic": {"targets"},
    "google": {"targets"},
    "letta": {"targets"},
    "httpx2": {"targets", "playback"},
    "httpx": {"targets", "playback"},
    "h11": {"playback", "cassettes"},
    "httptools": {"cassettes"},
    "hypothesis": {"generation"},
    "psycopg": {"streaming"},
    "redis": {"streaming", "generation"},  # fuzz: the client of Hypothesis' own Redis database
    "opentelemetry": {"streaming"},
    "vcr": {"cassettes"},
    "brotli": {"cassettes"},
    "brotlicffi": {"cassettes"},
    "backports": {"cassettes"},
    "compression": {"cassettes"},
    "distributed": {"engine"},
    "starlette": {"demo"},
    "uvicorn": {"demo"},
    "pytest": {"pytest_plugin"},
    "syrupy": {"pytest_plugin"},
}
HEAVY = {*DOORS, "asyncio", "harness.protocols", "harness.targets", "harness.engine"} - {
    "h11",
    "httptools",
}
FILE_LINES, FUNCTION_LINES = 400, 60


class Import(NamedTuple):
    """One import: where it stands and what it names, in full."""

    line: int
    name: str


def imports(source: str) -> Iterator[Import]:
    """Yield every import of a module, those spelled as strings included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            assert node.level == 0, f"line {node.lineno}: write relative imports out"
            yield from (Import(node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # "harness.targets.sdk", and the "harness.cli." that begins an f-string
            if node.value.startswith("harness.") and " " not in node.value:
                yield Import(node.lineno, node.value.rstrip("."))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            words = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            yield from (Import(node.lineno, str(word)) for word in words)


def room_of(path: Path) -> str:
    return path.relative_to(HARNESS).with_suffix("").parts[0]


def complaints(room: str, source: str, path: str) -> Iterator[str]:
    """Yield a sentence for each import that a room may not have."""
    for line, name in imports(source):
        top, _, rest = name.partition(".")
        other = rest.partition(".")[0]
        where = f"{path}:{line}"
        if top == "harness" and other in FLOORS:
            if other == room or (room, other) in NEIGHBOURS:
                continue
            if FLOORS[other] >= FLOORS[room]:
                yield f"{where}: {room} ({FLOORS[room]}) imports {other} ({FLOORS[other]})"
        elif top == "harness":
            yield f"{where}: {name} is no room with a floor"
        elif top not in sys.stdlib_module_names and room not in DOORS.get(top, ()):
            yield f"{where}: {top} is imported by {room}; its doors: {DOORS.get(top) or 'none'}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HARNESS)))
def test_a_module_keeps_to_its_floor_its_doors_and_its_size(path: Path) -> None:
    source = path.read_text("utf-8")
    name = str(path.relative_to(HARNESS.parent))
    wrong = [*complaints(room_of(path), source, name), *oversized(source, name)]
    assert not wrong, "\n".join(wrong)


def oversized(source: str, path: str) -> Iterator[str]:
    """Yield what is too long, or has no docstring, of a module."""
    tree = ast.parse(source)
    lines = source.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines, {FILE_LINES} are allowed"
    if ast.get_docstring(tree) is None:
        yield f"{path}:1: no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines"


@pytest.mark.parametrize(
    ("room", "source", "says"),
    [
        ("wire", "from harness.protocols import protocol", "wire (1) imports protocols (2)"),
        ("checks", "from harness.targets.base import Call", "checks (5) imports targets (5)"),
        ("engine", "def f():\n    import harness.cli", "x.py:2: engine (6) imports cli (9)"),
        ("protocols", 'import_module(f"harness.cli.{name}")', "protocols (2) imports cli (9)"),
        ("fuzzing", 'T = ("harness.reports.html", "x")', "fuzzing (7) imports reports (8)"),
        ("model", "if TYPE_CHECKING:\n    from harness.errors import X", "x.py:2: model (0)"),
        ("cli", "import harness.attic", "harness.attic is no room with a floor"),
        ("cli", "import yaml", "yaml is imported by cli; its doors: {'yaml_file'}"),
        ("streaming", "def f():\n    from openai import X", "x.py:2: openai is imported by"),
        ("streaming", 'x = import_module("httpx2")', "httpx2 is imported by streaming"),
        ("wire", "import requests", "requests is imported by wire; its doors: none"),
    ],
)
def test_a_breach_is_named_with_file_and_line(room: str, source: str, says: str) -> None:
    [sentence] = complaints(room, source, "x.py")
    assert says in sentence


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('"""Long."""\n' * 401, "x.py: 401 lines, 400 are allowed"),
        ("x = 1\n", "x.py:1: no docstring"),
        ('"""A."""\ndef f():\n' + "    pass\n" * 60, "x.py:2: f has 61 lines"),
    ],
)
def test_an_oversized_module_is_named(source: str, says: str) -> None:
    assert says in list(oversized(source, "x.py"))


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("run",),
        ("replay",),
        ("import",),
        ("compare",),
        ("coverage",),
        ("serve",),
        ("fuzz",),
        ("demo",),
    ],
)
def test_help_imports_nothing_heavy(command: tuple[str, ...]) -> None:
    code = (
        "import sys, harness.cli\n"
        f"try: harness.cli.main([*{command!r}, '--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        f"print('loaded:', sorted({HEAVY!r} & set(sys.modules)))"
    )
    command_line = [sys.executable, "-c", code]
    run = subprocess.run(command_line, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert run.stdout.splitlines()[-1] == "loaded: []"
