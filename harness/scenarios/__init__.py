"""Scenarios: one file, one story. Load, compile to wire events, lint.

The only reader of scenarios/. The path below the root, without its suffix, is the id. finding.py
knows the folders, scenario.py is the value, loading.py reads a file into one, linting.py says what
is wrong with it beyond its form.
"""

from harness.scenarios.finding import SPEC_FILE, cassette_root, discover, id_of, scenario_root
from harness.scenarios.linting import lint
from harness.scenarios.loading import ORDERS, ORIGINS, consumer_of, load, load_all, load_each
from harness.scenarios.scenario import (
    EVERY,
    FULL_STACK,
    LEAVING,
    READ,
    Consumer,
    Scenario,
    Transport,
)

__all__ = [
    "EVERY",
    "FULL_STACK",
    "LEAVING",
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
