"""The available models: every scenario is one, and each protocol has a demo model with more text.

Rule of this file: a response is registered only while its step runs, so memory is bounded by the
number of running steps.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from harness.engine.selection import select_scenarios
from harness.errors import UnknownWordError
from harness.model import Text, Usage
from harness.protocols import names, protocol
from harness.protocols.message import IN_ORDER, Message
from harness.wire.script import Script

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.model import JSON
    from harness.playback.response_registry import ResponseRegistry

DEMO_TEXT = (
    "No model wrote this answer. A server on this machine sends it word by word, as events of the "
    "provider's API. The provider's own SDK reads them, and a streaming interface turns them into "
    "the events that you see. Cancel the run while it is streaming, or disconnect and resume it."
)
PREFIX = "demo/"
DEFAULT = f"{PREFIX}openai_responses"


class Model(NamedTuple):
    """A model as a step needs it: its provider, its request and its response."""

    name: str
    protocol: str
    request: Mapping[str, JSON]
    script: Script

    @property
    def provider(self) -> str:
        """The provider to call."""
        return protocol(self.protocol).endpoint.provider


class Models:
    """The models of one demonstration.

    Args:
        responses: the responses of the loopback provider.
        root: the folder of scenarios.

    ``demo_names`` has the names of the demo models, one per protocol.

    Raises:
        InputError: the folder has no scenario.
    """

    def __init__(self, responses: ResponseRegistry, root: Path):
        self._responses = responses
        self.demo_names = tuple(PREFIX + name for name in names())
        self._scenarios = {scenario.id: scenario for scenario in select_scenarios(root, ())[0]}

    @property
    def names(self) -> list[str]:
        """The names of all models."""
        return [*self.demo_names, *self._scenarios]

    def ensure(self, name: str) -> str:
        """Return the name of a model.

        Raises:
            UnknownWordError: no model has that name; the message proposes the nearest.
        """
        names = self.names
        if name not in names:
            raise UnknownWordError("model", name, names)
        return name

    def named(self, name: str) -> Model:
        """Return the model of a name that ``ensure`` accepts."""
        scenario = self._scenarios.get(name)
        if scenario is not None:
            return Model(name, scenario.protocol, scenario.call_arguments(), scenario.script())
        return _demo_model(name)

    @contextmanager
    def responding(self, model: Model, pace: float) -> Iterator[str]:
        """Register a model's response while the block runs; yield the key of its URL.

        Args:
            model: the model.
            pace: seconds between two events; 0 for the pace of the scenario.
        """
        key = self._responses.register(model.script._replace(pace=pace or model.script.pace))
        try:
            yield key
        finally:
            self._responses.unregister(key)


def _demo_model(name: str) -> Model:
    wire = protocol(name.removeprefix(PREFIX))
    output = len(DEMO_TEXT.split())
    usage = Usage(input=12, output=output, total=12 + output)
    message = Message((Text(text=DEMO_TEXT),), usage=usage)
    frames = tuple(wire.frame(event) for event in wire.encode(message, IN_ORDER))
    return Model(name, wire.name, wire.request, Script(frames))
