"""The command that reproduces a run on a target that was given as an object, not as an address."""

from __future__ import annotations

import os
import sys
import sysconfig
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from harness.checks.evaluation import ScenarioRun
from harness.targets.addresses import PYTHON
from harness.targets.resolving import name_of

if TYPE_CHECKING:
    from harness.scenarios import Scenario


def scenario_run(scenario: Scenario, target: str | object, fallback: str = "") -> ScenarioRun:
    """Return the run of a scenario on a target, with a command that reproduces it.

    Args:
        scenario: the scenario.
        target: an address, or the target itself: an object, a class or a function.
        fallback: the shell command where a new process cannot import the target, such as
            ``pytest NODEID``.
    """
    if isinstance(target, str):
        return ScenarioRun(scenario, target)
    address = address_of(target)
    command = fallback if address is None else ScenarioRun(scenario, address).command()
    return ScenarioRun(scenario, name_of(target), command)


def address_of(target: object) -> str | None:
    """Return the ``python:`` address of an object, or None where a new process cannot import it.

    A module counts as importable where ``harness run`` finds it: below the working folder, on
    ``PYTHONPATH`` or installed. Folders that only this process has on ``sys.path`` do not count,
    like those that pytest adds for test modules.
    """
    module_name = getattr(target, "__module__", None)
    qualname = getattr(target, "__qualname__", None)
    module = sys.modules.get(module_name or "")
    if module is None or not qualname or module_name == "__main__":
        return None
    try:
        found = attrgetter(qualname)(module)
    except AttributeError:  # a local function, or a name that was deleted
        return None
    file = getattr(module, "__file__", None)
    importable = found is target and file is not None and _importable(str(module_name), Path(file))
    return f"{PYTHON}{module_name}:{qualname}" if importable else None


def _importable(module_name: str, file: Path) -> bool:
    paths = sysconfig.get_paths()
    places = [os.curdir, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    places += [paths["purelib"], paths["platlib"]]
    path = file.parent if file.name == "__init__.py" else file.with_suffix("")
    inside = Path(*module_name.split("."))
    return any(path.resolve() == (Path(place) / inside).resolve() for place in places if place)
