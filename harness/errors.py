"""The exceptions: the type says who is at fault.

::

    HarnessError
    ├── InputError               a file or an argument is invalid: names it and the remedy (exit 2)
    │   └── UnknownWordError     an unknown name; proposes the most similar known one
    ├── WireError                bytes that cannot be read as frames
    │   └── FrameTooLargeError   an event is larger than the limit
    ├── TargetError              the target under test raised, hung or sent an invalid reply
    ├── ConversationBusyError    another run holds the conversation
    ├── RunCancelled             the run was cancelled; this is not a failure
    └── StreamError              a stream failed; carries the ErrorInfo of the outcome
        ├── ProtocolError        an event contradicts what was opened before it
        └── LLMError             what callers of a provider catch: one class for each error kind
            ├── LLMTimeoutError         no answer came in time
            ├── LLMRateLimitError       too many requests or tokens, or a quota is used up
            ├── LLMOverloadedError      the provider has no capacity at the moment
            ├── LLMAuthenticationError  the API key is missing or wrong
            ├── LLMPermissionError      the API key does not allow this
            ├── LLMNotFoundError        there is no such model or resource
            ├── LLMBadRequestError      the request is invalid
            ├── ContextOverflowError    the prompt does not fit: shorten it and send it again
            ├── LLMContentPolicyError   the provider's policy forbids the prompt or the answer
            ├── LLMServerError          the provider failed
            ├── LLMConnectionError      no connection could be made, or it was lost
            ├── LLMTruncatedError       the stream ended before the provider's terminal event
            ├── LLMProtocolError        the provider sent what its protocol does not allow
            └── LLMUnknownError         an error that is in no table

Rule of this file: the text of an error is one line that a person can act on.
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
    """Base of every exception that this project raises on purpose."""


class InputError(HarnessError):
    """A file or an argument is invalid.

    Args:
        message: what is wrong and what to do about it, one line.
        path: the file, or None where it is not a file.
        line: the line in the file, counted from 1, or None.
    """

    def __init__(self, message: str, *, path: Path | str | None = None, line: int | None = None):
        place = "" if path is None else f"{path}:{line}: " if line else f"{path}: "
        super().__init__(f"{place}{message}")
        self.message, self.path, self.line = message, path, line

    def at(self, path: Path | str, line: int | None = None) -> InputError:
        """Return the same error with a file and a line of it."""
        return InputError(self.message, path=path, line=line)


class UnknownWordError(InputError):
    """An unknown name.

    Args:
        what: what kind of name was expected, e.g. "protocol".
        word: the name that was found.
        known: every name that would have been valid.
    """

    def __init__(self, what: str, word: str, known: Iterable[str]):
        names = sorted(known)
        near = get_close_matches(word, names, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]!r}?" if near else f"known: {_some(names)}"
        super().__init__(f"unknown {what} {word!r}; {remedy}")


def _some(names: list[str]) -> str:
    """List names, but not more than fit into one line."""
    more = f" … ({len(names) - _SHOWN} more)" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN]) or 'none'}{more}"


class WireError(HarnessError):
    """Bytes that cannot be read as frames."""


class FrameTooLargeError(WireError):
    """An event is larger than the reader's limit.

    Args:
        size: the bytes of that event that were read so far.
        limit: the limit in bytes.
    """

    def __init__(self, size: int, limit: int):
        super().__init__(
            f"one event holds {size:,} bytes or more; the limit is {limit:,} (raise it with limit=)"
        )
        self.size, self.limit = size, limit


class TargetError(HarnessError):
    """The target under test raised, hung or sent an invalid reply: a finding, not a crash."""


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
    """A stream failed.

    Args:
        info: the ``error`` of the outcome.
    """

    def __init__(self, info: ErrorInfo):
        super().__init__(f"{info.kind}: {info.message}")
        self.info = info


class ProtocolError(StreamError):
    """An event contradicts what was opened before it, so reading on would invent content."""


class RunCancelled(HarnessError):  # noqa: N818 - not an error, as CancelledError is none
    """The run was cancelled; this is not a failure."""

    def __init__(self) -> None:
        super().__init__("the run was cancelled")


class LLMError(StreamError):
    """A request to a provider failed; ``info`` has the reason and whether a retry may help."""


class LLMTimeoutError(LLMError):
    """No answer came in time."""


class LLMRateLimitError(LLMError):
    """Too many requests or tokens (then ``info.retryable`` is True), or a quota is used up."""


class LLMOverloadedError(LLMError):
    """The provider has no capacity at the moment."""


class LLMAuthenticationError(LLMError):
    """The API key is missing or wrong."""


class LLMPermissionError(LLMError):
    """The API key does not allow this."""


class LLMNotFoundError(LLMError):
    """There is no such model or resource."""


class LLMBadRequestError(LLMError):
    """The request is invalid; the same one will fail again."""


class ContextOverflowError(LLMError):
    """The prompt does not fit into the model's context: shorten it and send it again."""


class LLMContentPolicyError(LLMError):
    """The provider's policy forbids the prompt or the answer."""


class LLMServerError(LLMError):
    """The provider failed."""


class LLMConnectionError(LLMError):
    """No connection could be made, or it was lost."""


class LLMTruncatedError(LLMError):
    """The stream ended before the provider's terminal event."""


class LLMProtocolError(LLMError):
    """The provider sent what its protocol does not allow."""


class LLMUnknownError(LLMError):
    """An error that is in no table; its cause and the provider's own message are kept."""
