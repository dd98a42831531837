"""The streaming interface of OpenAI Responses.

``interface`` handles the events; ``sequence`` drops repeated ones and finds missing ones;
``item_index`` finds the output item an event belongs to; ``items`` holds the items and the text of
their parts; ``tools`` holds the items that are calls, hosted tools and images.
"""

from harness.streaming.interfaces.openai_responses.interface import (
    OpenAIResponsesInterface as Interface,
)

__all__ = ["Interface"]
