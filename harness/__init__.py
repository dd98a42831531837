"""Replay and conformance harness for LLM streaming.

``@harness.fuzz("openai_chat")`` above a streaming interface makes it a test of every law. For that
the room of this name can be called: a module is called through its class, and whatever is imported
of it before or after, the import system leaves this one module in its place.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.runner.fuzzing.decorator import fuzz as fuzz
else:
    from types import ModuleType

    from harness import fuzz

    class _Fuzz(ModuleType):
        """The room ``harness.fuzz``, which can be called; what that means, it need not know."""

        def __call__(self, *protocols: str, **options: object) -> object:
            from harness.runner.fuzzing.decorator import fuzz as decorate

            return decorate(*protocols, **options)

    fuzz.__class__ = _Fuzz

__all__ = ["fuzz"]
