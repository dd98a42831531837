"""The error tree: who is at fault is in the type.

::

    HarnessError
    ├── InputError               a file or an argument is at fault: names it and the cure (exit 2)
    │   └── UnknownWordError     a word nobody knows; proposes the nearest known one
    ├── WireError                bytes that cannot be read as frames
    │   └── FrameTooLargeError   an event grew over the limit
    ├── TargetError              the target under test raised, hung or talked nonsense
    ├── ConversationBusyError    another run holds the conversation
    ├── RunCancelled             somebody cancelled the run; nobody failed
    └── StreamError              a stream went wrong; carries the ErrorInfo of the outcome
        ├── ProtocolError        an event contradicts what was opened before it
        └── LLMError             what callers of a provider catch: one class for each error kind
            ├── LLMTimeoutError         no answer in time
            ├── LLMRateLimitError       too many requests or tokens, or the quota is used up
            ├── LLMOverloadedError      the provider has too much to do
            ├── LLMAuthenticationError  the key is missing or wrong
            ├── LLMPermissionError      the key may not do that
            ├── LLMNotFoundError        no such model or resource
            ├── LLMBadRequestError      the request is at fault
            ├── ContextOverflowError    the prompt does not fit: make it shorter and ask again
            ├── LLMContentPolicyError   the provider's policy forbids it
            ├── LLMServerError          the provider failed
            ├── LLMConnectionError      the connection could not be had, or was lost
            ├── LLMTruncatedError       the stream ended before the provider's terminal
            ├── LLMProtocolError        the provider said what its protocol does not allow
            └── LLMUnknownError         an error no table knows

Rule of this file: an error's text is one line that a person can act on.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.model import ErrorInfo

_SHOWN = 20  # names listed where none is near


class HarnessError(Exception):
    """Base of every error this project raises on purpose."""


class InputError(HarnessError):
    """A file or an argument is at fault.

    Args:
        message: what is wrong and how to cure it, one line.
        path: the file, where there is one.
        line: its line, counted from 1.
    """

    def __init__(self, message: str, *, path: Path | str | None = None, line: int | None = None):
        place = "" if path is None else f"{path}:{line}: " if line else f"{path}: "
        super().__init__(f"{place}{message}")
        self.message, self.path, self.line = message, path, line

    def at(self, path: Path | str, line: int | None = None) -> InputError:
        """Return the same error, placed in a file."""
        return InputError(self.message, path=path, line=line)


class UnknownWordError(InputError):
    """A word nobody knows.

    Args:
        what: what kind of word was expected, e.g. "protocol".
        word: the word that was found.
        known: every word that would have been right.
    """

    def __init__(self, what: str, word: str, known: Iterable[str]):
        names = sorted(known)
        near = get_close_matches(word, names, n=1, cutoff=0.5)
        cure = f"did you mean {near[0]!r}?" if near else f"known: {_some(names)}"
        super().__init__(f"unknown {what} {word!r}; {cure}")


def _some(names: list[str]) -> str:
    """List names, but no more than a person reads in one line."""
    more = f" … ({len(names) - _SHOWN} more)" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN]) or 'none at all'}{more}"


class WireError(HarnessError):
    """Bytes that cannot be read as frames."""


class FrameTooLargeError(WireError):
    """An event grew over the reader's limit.

    Args:
        size: bytes seen so far of that event.
        limit: the limit in bytes.
    """

    def __init__(self, size: int, limit: int):
        super().__init__(
            f"one event holds {size:,} bytes or more; the limit is {limit:,} (raise it with limit=)"
        )
        self.size, self.limit = size, limit


class TargetError(HarnessError):
    """The target under test raised, hung or talked nonsense: a finding, never our crash."""


class ConversationBusyError(HarnessError):
    """Another run holds the conversation.

    Args:
        conversation: its id.
    """

    def __init__(self, conversation: str):
        super().__init__(
            f"conversation {conversation!r} has a run in progress; wait for it or cancel it"
        )
        self.conversation = conversation


class StreamError(HarnessError):
    """A stream went wrong.

    Args:
        info: what the outcome says about it.
    """

    def __init__(self, info: ErrorInfo):
        super().__init__(f"{info.kind}: {info.message}")
        self.info = info


class ProtocolError(StreamError):
    """An event contradicts what was opened before it, so going on would invent content."""


class RunCancelled(HarnessError):  # noqa: N818 - nothing is wrong: it is a message, like CancelledError
    """Somebody cancelled the run; nobody failed."""

    def __init__(self) -> None:
        super().__init__("the run was cancelled")


class LLMError(StreamError):
    """A provider did not do what it was asked; ``info`` says why and whether a retry may help."""


class LLMTimeoutError(LLMError):
    """No answer came in time."""


class LLMRateLimitError(LLMError):
    """Too many requests or tokens, or the quota is used up (``info.retryable`` tells which)."""


class LLMOverloadedError(LLMError):
    """The provider has too much to do."""


class LLMAuthenticationError(LLMError):
    """The key is missing or wrong."""


class LLMPermissionError(LLMError):
    """The key may not do that."""


class LLMNotFoundError(LLMError):
    """There is no such model or resource."""


class LLMBadRequestError(LLMError):
    """The request is at fault; the same one will fail again."""


class ContextOverflowError(LLMError):
    """The prompt does not fit the model: make it shorter and ask again."""


class LLMContentPolicyError(LLMError):
    """The provider's policy forbids the prompt or the answer."""


class LLMServerError(LLMError):
    """The provider failed."""


class LLMConnectionError(LLMError):
    """The connection could not be had, or was lost."""


class LLMTruncatedError(LLMError):
    """The stream ended before the provider's terminal."""


class LLMProtocolError(LLMError):
    """The provider said what its protocol does not allow."""


class LLMUnknownError(LLMError):
    """An error no table knows; its cause and the provider's own words are kept."""
