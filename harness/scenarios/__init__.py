"""Scenarios: load a file, compile it to wire events, and check it.

The only reader of the folder ``scenarios/``. A scenario's id is its path below that folder, without
the suffix. folders.py finds the files, scenario.py has the value, loading.py reads a file into one,
linting.py reports what is wrong beyond its form, catalogue.py reads the cases that it cites.
"""

from harness.scenarios.folders import SPEC_FILE, cassette_root, discover, id_of, scenario_root
from harness.scenarios.linting import lint
from harness.scenarios.loading import ORDERS, ORIGINS, consumer_of, load, load_all, load_each
from harness.scenarios.scenario import (
    ABORTS,
    EVERY,
    FULL_STACK,
    READ,
    Consumer,
    Scenario,
    Transport,
)

__all__ = [
    "ABORTS",
    "EVERY",
    "FULL_STACK",
    "ORDERS",
    "ORIGINS",
    "READ",
    "SPEC_FILE",
    "Consumer",
    "Scenario",
    "Transport",
    "cassette_root",
    "consumer_of",
    "discover",
    "id_of",
    "lint",
    "load",
    "load_all",
    "load_each",
    "scenario_root",
]
