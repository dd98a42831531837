"""One step's request to a provider and its outcome, as a frozen value.

Rules of this file: an undeclared field is refused, so a typing error cannot lose a value; a trace
round-trips through JSON, lone surrogates of broken streams included; an error is never lost: one
that is only a string (defect D88), also an empty one (D55), becomes an ErrorInfo.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationError

from harness.errors import InputError
from harness.model import JSON, ErrorInfo, Event, Outcome, Value


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _error(value: object) -> object:
    return ErrorInfo(kind="unknown", message=value) if isinstance(value, str) else value


class ProviderTrace(Value):
    """The record of one step.

    Args:
        id: the trace's own id.
        created_at: when the step ended, in UTC; ISO 8601 in JSON.
        protocol: the wire language, one of ``harness.protocols.names()``.
        provider: the provider, e.g. ``openai`` or ``azure``.
        model: the requested model.
        call_type: what the step was for, e.g. ``agent_step`` or ``summarization``.
        run_id, step_id, agent_id, org_id, user_id: what the step belongs to.
        tags: any strings.
        request: the request, as JSON.
        outcome: what was delivered, None if the stream was never opened.
        events: the wire events as ``[name, data]``, if the caller recorded them.
        error: the error that the caller received; a string is accepted, too.
        latency_s: seconds from the request to the end of the step.
        first_chunk_s: seconds from the request to the first chunk, None if there was none.
    """

    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    created_at: Annotated[AwareDatetime, AfterValidator(_in_utc)] = Field(
        default_factory=lambda: datetime.now(UTC)
    )
    protocol: str
    provider: str
    model: str | None = None
    call_type: str | None = None
    run_id: str | None = None
    step_id: str | None = None
    agent_id: str | None = None
    org_id: str | None = None
    user_id: str | None = None
    tags: tuple[str, ...] = ()
    request: JSON = None
    outcome: Outcome | None = None
    events: tuple[Event, ...] = ()
    error: Annotated[ErrorInfo | None, BeforeValidator(_error)] = None
    latency_s: float | None = None
    first_chunk_s: float | None = None

    @property
    def failure(self) -> ErrorInfo | None:
        """The error that the caller received, or else the outcome's."""
        if self.error is not None or self.outcome is None:
            return self.error
        return self.outcome.error

    def to_json(self) -> str:
        """Return one line of ASCII, which every store and every pipe accepts."""
        return json.dumps(self.model_dump(mode="json"), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            InputError: it is not a trace.
        """
        try:
            return cls.model_validate(json.loads(text))
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            place = ".".join(str(key) for key in first["loc"])
            raise InputError(f"not a trace: {place}: {first['msg']}") from error
        except ValueError as error:
            raise InputError(f"not a trace: not JSON ({error})") from error
