"""Recorded response bodies from anywhere on disk: single files, or folders of NAME.sse + NAME.json.

Rules of this file: a file that cannot be used gives one error that names it and the cure, and never
hides the others; bytes are handed on as they were recorded, except that one JSON array and the
binary events of Bedrock are framed again as server-sent events, because the SDKs read nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import InputError, UnknownWordError, WireError
from harness.protocols import NAMES, protocol
from harness.protocols.protocol import events_of
from harness.wire import event_stream, sse
from harness.wire.script import EVENT_STREAM, Script

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.model import Event

_OK = 200
# A body's first event -> its protocol: the field that no other protocol's events have.
_MARKS = (
    ("openai_chat", lambda data: "choices" in data),
    ("openai_responses", lambda data: str(data.get("type")).startswith("response.")),
    ("anthropic_messages", lambda data: data.get("type") == "message_start"),
    ("gemini_generate", lambda data: not {"candidates", "usageMetadata"}.isdisjoint(data)),
)
_CARRIERS = {
    "bedrock_invoke_anthropic": "anthropic_messages"
}  # one protocol inside another's frames


@dataclass(frozen=True)
class Recording:
    """One recorded response.

    ``provider`` and ``fidelity`` are the recorder's words, empty where it kept none.
    """

    name: str
    path: Path
    protocol: str
    body: bytes
    status: int = _OK
    provider: str = ""
    fidelity: str = ""

    def events(self) -> list[Event]:
        """Return the wire events of the body.

        Raises:
            InputError: the bytes are neither events nor a JSON array.
        """
        try:
            return list(events_of([self.body]))
        except WireError as error:
            raise InputError(str(error), path=self.path) from None

    def script(self, cut: str = "event") -> Script:
        """Return the response as a script, to be read in the given cuts.

        Raises:
            InputError: as for ``events``.
        """
        if self.status != _OK:
            headers = (("content-type", "application/json"),)
            return Script((self.body,), self.status, headers, cut)
        if self.body.lstrip()[:1] == b"[" or event_stream.sniff(self.body):
            frame = protocol(self.protocol).frame
            return Script(tuple(frame(event) for event in self.events()), cut=cut)
        return Script(sse.split(self.body), headers=(("content-type", EVENT_STREAM),), cut=cut)


@dataclass(frozen=True)
class LeftOut:
    """A recording of a protocol that is not spoken here; no error, but to be counted."""

    name: str
    protocol: str


def recordings(
    paths: Sequence[Path], protocol_name: str | None = None
) -> Iterator[Recording | LeftOut | InputError]:
    """Yield every recording below some paths, in the order of their names.

    Args:
        paths: body files, or folders that hold them.
        protocol_name: the protocol of bodies that say nothing of it; None guesses.
    """
    for path in paths:
        if path.is_dir():
            files = sorted(path.rglob("*.sse"))
            if not files:
                yield InputError("the folder holds no NAME.sse", path=path)
        else:
            files = [path]
        for file in files:
            try:
                yield _read(file, protocol_name)
            except InputError as error:
                yield error


def _read(path: Path, protocol_name: str | None) -> Recording | LeftOut:
    body = _bytes(path)
    meta = _meta(path.with_suffix(".json")) if path.suffix == ".sse" else {}
    name = str(meta.get("name") or path.stem)
    spoken = protocol_name or _spoken(meta)
    if spoken is not None and spoken not in NAMES:
        if "protocol" in meta:
            return LeftOut(name, spoken)
        raise UnknownWordError("protocol", spoken, NAMES)
    status = meta.get("status", _OK)
    if not isinstance(status, int):
        raise InputError("the recording's metadata: status is no whole number", path=path)
    if status == _OK and b"\x00" in body[:4096] and not event_stream.sniff(body):
        raise InputError("binary, not an event stream; is it compressed?", path=path)
    return Recording(
        name=name,
        path=path,
        protocol=spoken or _guess(body, path),
        body=body,
        status=status,
        provider=str(meta.get("provider", "")),
        fidelity=str(meta.get("fidelity", "")),
    )


def _spoken(meta: dict[str, Any]) -> str | None:
    """Return the protocol that a recorder named, None where it named none."""
    words = [str(meta.get(key, "")).replace("-", "_") for key in ("protocol", "subprotocol")]
    return _CARRIERS.get(words[1]) or words[0] or None


def _bytes(path: Path) -> bytes:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", path=path) from None
    if not body.strip():
        raise InputError("the file is empty", path=path)
    return body


def _meta(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        meta = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        words = f"the recording's metadata cannot be read ({type(error).__name__}: {error})"
        raise InputError(words, path=path) from None
    if not isinstance(meta, dict):
        raise InputError("the recording's metadata is no JSON object", path=path)
    return meta


def _guess(body: bytes, path: Path) -> str:
    try:
        for event in events_of([body]):
            if isinstance(event.data, dict):
                for name, mark in _MARKS:
                    if mark(event.data):
                        return name
    except WireError as error:
        raise InputError(str(error), path=path) from None
    words = f"no event tells its protocol; name it with --protocol ({', '.join(NAMES)})"
    raise InputError(words, path=path, line=1)
