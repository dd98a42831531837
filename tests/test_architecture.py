"""The architecture: layers, importers of dependencies, import circles, sizes, cheap help pages.

A package is a module or folder directly below ``harness``. It imports packages of lower layers
only. Every import counts: inside a function, for types only, or spelled as a string.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import harness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HARNESS = Path(__file__).parent.parent / "harness"
MODULES = sorted(HARNESS.rglob("*.py"))

# ARCHITECTURE.md has this table, too. A package stands directly above the highest one it imports.
LAYERS = (
    ("model", "errors", "simulation", "project_files"),
    ("wire", "yaml_file", "atomic_file"),
    ("protocols",),
    ("streaming", "cassettes", "generation"),
    ("playback", "scenarios", "sdks"),
    ("checks", "auditing", "targets"),
    ("engine",),
    ("aborting", "fuzzing", "comparing", "demo"),
    ("reports", "api"),
    ("cli", "pytest_plugin", "__init__"),  # __init__ imports what it exports when that is used
    ("__main__",),
)
LAYER_OF = {package: number for number, layer in enumerate(LAYERS) for package in layer}
# The only import within a layer: a StreamError carries an ErrorInfo, named for its type alone.
WITHIN_A_LAYER = {("errors", "model")}
PUBLIC_FUNCTIONS = {name for name in harness.__all__ if name.islower()}
# Each dependency has one importing package, or several for the reason that is given.
IMPORTERS: Mapping[str, set[str]] = {
    "anthropic": {"sdks"},
    "distributed": {"engine"},
    "google": {"sdks"},
    "h11": {"playback", "cassettes"},  # the loopback server and the recording proxy
    "httptools": {"cassettes"},
    "hypothesis": {"generation"},
    "letta": {"targets"},
    "openai": {"sdks"},
    "opentelemetry": {"streaming"},
    "psycopg": {"streaming"},
    "pydantic": {"model", "streaming"},  # streaming stores values of its own
    "pytest": {"pytest_plugin"},
    "redis": {"streaming", "generation"},  # background runs; Hypothesis' own Redis database
    "starlette": {"demo"},
    "syrupy": {"pytest_plugin"},
    "uvicorn": {"demo"},
    "yaml": {"yaml_file"},
}
# Loaded by name, so that no import statement shows it: the package that may load it.
LOADED_BY_NAME: Mapping[str, set[str]] = {
    "backports": {"cassettes"},
    "brotli": {"cassettes"},
    "brotlicffi": {"cassettes"},
    "compression": {"cassettes"},
    "httpx": {"sdks", "playback"},  # clients, and the in-memory transport they read from
    "httpx2": {"sdks", "playback"},
}
HEAVY = {*IMPORTERS, *LOADED_BY_NAME, "asyncio", "harness.protocols", "harness.engine"}
FILE_LINES, FUNCTION_LINES = 400, 60


class Import(NamedTuple):
    """One import: its line and the full name it imports."""

    line: int
    name: str


def imports(source: str) -> Iterator[Import]:
    """Yield every import of a module, those spelled as strings included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            assert node.level == 0, f"line {node.lineno}: use absolute imports"
            yield from (Import(node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # "harness.targets.sdk", and the "harness.cli." that begins an f-string
            if node.value.startswith("harness.") and " " not in node.value:
                yield Import(node.lineno, node.value.rstrip("."))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            names = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            yield from (Import(node.lineno, str(name)) for name in names)


def package_of(path: Path) -> str:
    return path.relative_to(HARNESS).with_suffix("").parts[0]


def errors_of(package: str, source: str, path: str) -> Iterator[str]:
    """Yield a sentence for each import that a package may not have."""
    for line, name in imports(source):
        top, _, rest = name.partition(".")
        other = rest.partition(".")[0] or "__init__"
        where = f"{path}:{line}"
        if top == "harness":
            if other not in LAYER_OF:
                other = "__init__" if name.count(".") == 1 else other  # a name that it exports
            if other == package or (package, other) in WITHIN_A_LAYER:
                continue
            if other not in LAYER_OF:
                yield f"{where}: {name}: {other} is in no layer; add it to LAYERS"
            elif LAYER_OF[other] >= LAYER_OF[package]:
                layers = f"{package} (layer {LAYER_OF[package]}) imports {other}"
                yield f"{where}: {layers} (layer {LAYER_OF[other]})"
        elif top not in sys.stdlib_module_names:
            allowed = {**IMPORTERS, **LOADED_BY_NAME}.get(top, set())
            if package not in allowed:
                names = ", ".join(sorted(allowed)) or "none"
                yield f"{where}: {package} imports {top}; its importers: {names}"


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


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HARNESS)))
def test_a_module_respects_layers_importers_and_sizes(path: Path) -> None:
    source = path.read_text("utf-8")
    name = str(path.relative_to(HARNESS.parent))
    wrong = [*errors_of(package_of(path), source, name), *oversized(source, name)]
    assert not wrong, "\n".join(wrong)


def dependencies(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return which files import which.

    Args:
        sources: path below ``harness`` -> text.
    """
    modules = {path.removesuffix(".py").removesuffix("/__init__"): path for path in sources}
    modules |= {"": "__init__.py"} if "__init__.py" in sources else {}
    found: dict[str, set[str]] = {path: set() for path in sources}
    for path, source in sources.items():
        for _, name in imports(source):
            parts = name.split(".")[1:] if name.startswith("harness") else None
            while parts and "/".join(parts) not in modules:
                parts.pop()  # the last parts name a class or a function of a module
            if parts is not None and (target := modules.get("/".join(parts), path)) != path:
                found[path].add(target)
    return found


def circles(graph: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """Return each set of files that import each other, directly or through further files."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen, waiting = set[str](), list(graph[start])
        while waiting:
            file = waiting.pop()
            if file not in seen:
                seen.add(file)
                waiting += graph.get(file, ())
        reached[start] = seen
    return {
        frozenset(file for file in seen if start in reached.get(file, ()))
        for start, seen in reached.items()
        if start in seen
    }


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """The files of the harness, and which ones each imports."""
    return dependencies({str(p.relative_to(HARNESS)): p.read_text("utf-8") for p in MODULES})


def test_no_files_import_each_other_in_a_circle(graph: dict[str, set[str]]) -> None:
    found = circles(graph)
    assert not found, f"import circles: {[sorted(circle) for circle in found]}"


def test_every_layer_is_as_low_as_the_imports_allow(graph: dict[str, set[str]]) -> None:
    lowest = dict.fromkeys(LAYER_OF, 0)
    for path, targets in graph.items():
        package = package_of(Path(HARNESS / path))
        for other in {package_of(HARNESS / target) for target in targets} - {package}:
            if (package, other) not in WITHIN_A_LAYER:
                lowest[package] = max(lowest[package], LAYER_OF[other] + 1)
    slack = [f"{p}: layer {LAYER_OF[p]}, {n} is enough" for p, n in lowest.items()
             if n != LAYER_OF[p]]  # fmt: skip
    assert not slack, "\n".join(slack)


def test_every_package_is_in_a_layer_and_every_importer_imports() -> None:
    assert {package_of(path) for path in MODULES} == set(LAYER_OF)
    importing: dict[str, set[str]] = {}
    for path in MODULES:
        for _, name in imports(path.read_text("utf-8")):
            importing.setdefault(name.partition(".")[0], set()).add(package_of(path))
    assert {name: importing.get(name, set()) for name in IMPORTERS} == IMPORTERS


def test_every_package_that_may_load_by_name_does() -> None:
    loading: dict[str, set[str]] = {name: set() for name in LOADED_BY_NAME}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            name = text.partition(".")[0] if isinstance(text, str) else ""
            if name in loading:
                loading[name].add(package_of(path))
    assert loading == LOADED_BY_NAME


def test_no_package_bears_the_name_of_a_public_function() -> None:
    assert {"run", "replay", "check", "fuzz", "compare", "record"} <= PUBLIC_FUNCTIONS
    assert not PUBLIC_FUNCTIONS & {package_of(path) for path in MODULES}


@pytest.mark.parametrize(
    ("package", "source", "says"),
    [
        ("wire", "from harness.protocols import x", "wire (layer 1) imports protocols (layer 2)"),
        ("checks", "import harness.auditing", "checks (layer 5) imports auditing (layer 5)"),
        ("engine", "def f():\n    import harness.cli", "x.py:2: engine (layer 6) imports cli"),
        ("protocols", 'import_module(f"harness.cli.{name}")', "protocols (layer 2) imports cli"),
        ("fuzzing", 'T = ("harness.reports.html", "x")', "fuzzing (layer 7) imports reports"),
        ("model", "if TYPE_CHECKING:\n    from harness.errors import X", "x.py:2: model (layer 0)"),
        ("engine", "from harness import fuzz", "engine (layer 6) imports __init__"),
        ("cli", "import harness.attic.old", "attic is in no layer; add it to LAYERS"),
        ("cli", "import yaml", "cli imports yaml; its importers: yaml_file"),
        ("streaming", "def f():\n    from openai import X", "x.py:2: streaming imports openai"),
        ("streaming", 'x = import_module("httpx2")', "streaming imports httpx2"),
        ("wire", "import requests", "wire imports requests; its importers: none"),
    ],
)
def test_a_forbidden_import_is_named_with_file_and_line(
    package: str, source: str, says: str
) -> None:
    [sentence] = errors_of(package, source, "x.py")
    assert says in sentence


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ({"a/b.py": "import harness.a.c", "a/c.py": "import json"}, []),
        ({"a/b.py": "from harness.a import c", "a/c.py": "from harness.a.b import X"},
         ["a/b.py", "a/c.py"]),
        ({"a/__init__.py": "from harness.a import b",
          "a/b.py": "if TYPE_CHECKING:\n    from harness.a import Name"},
         ["a/__init__.py", "a/b.py"]),
        ({"a.py": "import harness.b", "b.py": "def f():\n    import harness.c", "d.py": "",
          "c.py": 'import_module("harness.a")'},
         ["a.py", "b.py", "c.py"]),
    ],
)  # fmt: skip
def test_a_circle_is_found(sources: dict[str, str], found: list[str]) -> None:
    assert circles(dependencies(sources)) == ({frozenset(found)} if found else set())


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
