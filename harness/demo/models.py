"""What can be asked for: every scenario is a model, and so is one longer story for each protocol.

Rule of this file: a script is on the stage only while its step goes on, so memory is bounded by the
steps that do.
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

STORY = (
    "This answer comes from no model at all. A server on this machine speaks it word by word, in "
    "the provider's own events; the provider's own SDK reads them, and a streaming interface turns "
    "them into the frames you see. Cancel the run while it speaks, or leave it and come back."
)
PREFIX = "demo/"
DEFAULT = f"{PREFIX}openai_responses"


class Model(NamedTuple):
    """What a step has to know: whom it asks, what it asks, and how it will be answered."""

    name: str
    protocol: str
    request: Mapping[str, JSON]
    script: Script

    @property
    def provider(self) -> str:
        """Who is asked."""
        return protocol(self.protocol).endpoint.provider


class Models:
    """The models of one demonstration.

    Args:
        stage: where the provider looks up what to say.
        root: the folder of scenarios.

    ``stories`` names our own, one a protocol.

    Raises:
        InputError: there is no scenario.
    """

    def __init__(self, stage: ResponseRegistry, root: Path):
        self._stage = stage
        self.stories = tuple(PREFIX + name for name in names())
        self._scenarios = {scenario.id: scenario for scenario in select_scenarios(root, ())[0]}

    @property
    def names(self) -> list[str]:
        """Every model's name."""
        return [*self.stories, *self._scenarios]

    def ensure(self, name: str) -> str:
        """Return the name of a model.

        Raises:
            UnknownWordError: there is none of that name; proposes the nearest.
        """
        known = self.names
        if name not in known:
            raise UnknownWordError("model", name, known)
        return name

    def named(self, name: str) -> Model:
        """Return a model whose name is known."""
        scenario = self._scenarios.get(name)
        if scenario is not None:
            return Model(name, scenario.protocol, scenario.ask(), scenario.script())
        return _story(name)

    @contextmanager
    def speaking(self, model: Model, pace: float) -> Iterator[str]:
        """Have the provider say it while the block runs; yields the key to ask under.

        Args:
            model: what is asked.
            pace: seconds between two events; 0 leaves the scenario its own.
        """
        key = self._stage.register(model.script._replace(pace=pace or model.script.pace))
        try:
            yield key
        finally:
            self._stage.unregister(key)


def _story(name: str) -> Model:
    spoken = protocol(name.removeprefix(PREFIX))
    words = len(STORY.split())
    usage = Usage(input=12, output=words, total=12 + words)
    message = Message((Text(text=STORY),), usage=usage)
    frames = tuple(spoken.frame(event) for event in spoken.encode(message, IN_ORDER))
    return Model(name, spoken.name, spoken.request, Script(frames))
