"""The folders of scenarios and cassettes, and the files in them."""

from __future__ import annotations

from pathlib import Path

from harness.errors import InputError

SPEC_FILE = "SPEC.yaml"
_PACKAGE = Path(__file__).resolve().parents[1]


def scenario_root(named: Path | None = None) -> Path:
    """Return the folder of scenarios.

    Args:
        named: the folder the user named; None is ``./scenarios``, or else that of the installation.
    """
    if named is not None:
        return named
    places = (Path("scenarios"), _PACKAGE / "_scenarios", _PACKAGE.parent / "scenarios")
    return next((place for place in places if place.is_dir()), places[0])


def cassette_root(scenarios: Path) -> Path:
    """Return the folder of the cassettes that belong to a folder of scenarios: next to it."""
    name = "_cassettes" if scenarios == _PACKAGE / "_scenarios" else "cassettes"
    return scenarios.parent / name


def discover(root: Path) -> list[Path]:
    """Return every scenario file below a folder, sorted by id.

    Raises:
        InputError: there is no such folder.
    """
    if not root.is_dir():
        raise InputError("no such folder of scenarios; name one with --scenarios", path=root)
    return sorted(path for path in root.rglob("*.yaml") if path.name != SPEC_FILE)


def id_of(path: Path, root: Path) -> str:
    """Return the id of a scenario file: its path below the root, without its suffix."""
    return path.relative_to(root).with_suffix("").as_posix()
