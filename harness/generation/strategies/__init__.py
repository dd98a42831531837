"""Hypothesis strategies for whole streams.

``from_grammar(protocol)`` walks through a protocol's tables, ``messages()`` says what a model may
say in any protocol; ``cases(protocol)`` draws from both what the laws are held against.
"""

from harness.generation.strategies.cases import cases
from harness.generation.strategies.messages import messages
from harness.generation.strategies.walks import from_grammar

__all__ = ["cases", "from_grammar", "messages"]
