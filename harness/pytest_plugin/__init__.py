"""The pytest plugin: scenarios as tests of your own streaming interface.

::

    @pytest.mark.scenarios("openai_responses/**", target=my_listen)
    def test_our_streaming_layer(conformance):
        conformance.assert_passes()

``target`` is an address (``builtin``, ``python:pkg.module:attr``), a target object or a plain
``async def listen(call) -> Outcome``; without one, ``--harness-target`` says (default: builtin).
Generated streams are the mark of fuzzing.py.

::

    def test_our_client(harness_recorder):
        ask(harness_recorder.wrap(OpenAI()))  # or base_url=harness_recorder.base_url("openai")

plays ``cassettes/<test file>/<test>.yaml``, and records it under ``--harness-record once``.
The only importer of pytest and syrupy.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from harness.engine.results import ScenarioResult
from harness.errors import InputError, UnknownWordError
from harness.pytest_plugin import fuzzing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syrupy.location import PyTestLocation
    from syrupy.types import SnapshotIndex

    from harness.cassettes.recorder.session import Recording
    from harness.engine.replayer import Replayer
    from harness.scenarios import Scenario

MARK = "scenarios"
_TIMEOUT = 10.0  # seconds a target has for one stream


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options."""
    group = parser.getgroup("harness", "LLM streaming conformance")
    group.addoption(
        "--harness-target",
        action="append",
        metavar="T",
        help="target of tests that name none: builtin, sdk, sdk-helper, python:pkg.module:attr",
    )
    group.addoption(
        "--harness-record",
        default="none",
        metavar="MODE",
        help="what harness_recorder does: none (play; the default), once, new_episodes, all, "
        "rewrite",
    )
    group.addoption(
        "--harness-scenarios", type=Path, metavar="DIR", help="folder of scenarios to use"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and let outcome_snapshot be named by scenario instead of by test."""
    config.addinivalue_line("filterwarnings", r"ignore:\s*Can not relate snapshot:UserWarning")
    words = "scenarios(*selectors, target=None): run the test once a scenario and target"
    config.addinivalue_line("markers", words)
    config.pluginmanager.register(fuzzing, "harness-fuzzing")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a marked test one case for each scenario and target."""
    mark = metafunc.definition.get_closest_marker(MARK)
    if mark is None:
        return
    from harness.targets.resolving import name_of

    _judge_mark(mark, metafunc)
    target = mark.kwargs.get("target")
    targets = [target] if target else metafunc.config.getoption("harness_target") or ["builtin"]
    scenarios = _chosen(metafunc.config, mark.args)
    cases = [
        pytest.param(scenario, target, id=f"{name_of(target)}:{scenario.id}")
        for target in targets
        for scenario in scenarios
    ]
    metafunc.parametrize(("scenario", "harness_target"), cases)


def _judge_mark(mark: pytest.Mark, metafunc: pytest.Metafunc) -> None:
    """Refuse a mark that would judge nothing, or something else than was meant."""
    if not {"scenario", "harness_target"} <= set(metafunc.fixturenames):
        words = f"{metafunc.definition.nodeid} is marked {MARK}, but does not ask for `conformance`"
        raise pytest.UsageError(words)
    for word in mark.kwargs:
        if word != "target":
            raise pytest.UsageError(str(UnknownWordError(f"argument of {MARK}", word, ["target"])))


def _chosen(config: pytest.Config, selectors: tuple[str, ...]) -> list[Scenario]:
    from harness.engine.selection import select_scenarios
    from harness.scenarios import scenario_root

    try:
        root = scenario_root(config.getoption("harness_scenarios"))
        scenarios, errors = select_scenarios(root, selectors)
    except InputError as error:
        raise pytest.UsageError(str(error)) from None
    if errors:
        raise pytest.UsageError("\n".join(map(str, errors)))
    return scenarios


class Conformance(ScenarioResult):
    """What came of one scenario on one target, with what a test needs besides."""

    def assert_passes(self) -> None:
        """Fail the test unless every requirement and invariant holds."""
        __tracebackhide__ = True
        try:
            super().assert_passes()
        except AssertionError as error:
            pytest.fail(str(error), pytrace=False)

    def snapshot_text(self) -> str:
        """Return the outcome as the text that a snapshot holds."""
        from harness.reports.snapshot import snapshot_text

        return snapshot_text(self.outcome)


@pytest.fixture
def scenario() -> Scenario:
    """The scenario of a test marked ``scenarios``."""
    raise _unmarked()


@pytest.fixture
def harness_target() -> str | object:
    """The target of a test marked ``scenarios``."""
    raise _unmarked()


def _unmarked() -> pytest.UsageError:
    return pytest.UsageError("mark the test with @pytest.mark.scenarios('…')")


@pytest.fixture(scope="session")
def harness_replayer() -> Iterator[Replayer]:
    """The loopback provider and the SDK clients of the whole session."""
    from harness.engine.replayer import Replayer

    with Replayer(_TIMEOUT) as player:
        yield player


@pytest.fixture(scope="session")
def harness_memory_replayer() -> Iterator[Replayer]:
    """The provider in memory, for the variations and cut points of targets that listen there."""
    from harness.engine.replayer import Replayer

    with Replayer(_TIMEOUT, in_memory=True) as player:
        yield player


@pytest.fixture
def conformance(
    request: pytest.FixtureRequest,
    scenario: Scenario,
    harness_target: str | object,
    harness_replayer: Replayer,
    harness_memory_replayer: Replayer,
) -> Conformance:
    """What came of the scenario on the target."""
    from harness.aborting import sweep
    from harness.engine.reproducing import scenario_run
    from harness.engine.scenario_runner import ScenarioRunner

    test = request.node.nodeid.partition("::")
    path = os.path.relpath(request.path, request.config.invocation_params.dir)
    again = shlex.join(["pytest", f"{path}::{test[2]}"])
    runner = ScenarioRunner(harness_replayer, harness_memory_replayer, sweep)
    result = runner.run(scenario_run(scenario, harness_target, again), harness_target)
    return Conformance(**vars(result))


@pytest.fixture
def harness_recorder(request: pytest.FixtureRequest) -> Iterator[Recording]:
    """A recorder whose cassette lies beside the test; ``wrap`` clients, or use ``base_url``."""
    from harness.cassettes import recording

    test = request.path
    name = re.sub(r"[^\w.-]+", "_", request.node.name)
    path = test.parent / "cassettes" / test.stem.removeprefix("test_") / f"{name}.yaml"
    try:
        tape: Recording = recording(path, request.config.getoption("harness_record"))
    except InputError as error:
        raise pytest.UsageError(str(error)) from None
    with tape:
        yield tape


class SnapshotExtension(SingleFileSnapshotExtension):
    """One readable file a case: ``__snapshots__/<module>/<name>.json``, slashes of a name kept."""

    _write_mode = WriteMode.TEXT
    file_extension = "json"

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        """Return the folder of all outcome_snapshot of a test file."""
        file = Path(test_location.filepath)
        return str(file.parent / "__snapshots__" / file.stem.removeprefix("test_"))

    @classmethod
    def get_location(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:
        """Return the file of a named photograph."""
        return str(Path(cls.dirname(test_location=test_location)) / f"{index}.{cls.file_extension}")

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        """Return the name syrupy knows a photograph by: its file's."""
        return Path(cls.get_location(test_location=test_location, index=index)).stem


@pytest.fixture
def outcome_snapshot(snapshot: Any) -> Any:
    """A syrupy snapshot that keeps one readable photograph a case."""
    return snapshot.use_extension(SnapshotExtension)
