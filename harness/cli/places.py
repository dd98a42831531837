"""Where the scenarios are: named, here, or those that came with the package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def scenario_root(named: Path | None) -> Path:
    """Return the folder of scenarios.

    Args:
        named: what the user named, or None: ``./scenarios``, or else those of the installation.
    """
    if named is not None:
        return named
    places = (Path("scenarios"), _PACKAGE / "_scenarios", _PACKAGE.parent / "scenarios")
    return next((place for place in places if place.is_dir()), places[0])
