"""An exchange scrubbed: headers, URLs, bodies."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cassettes.cassette import Cassette, Headers, Interaction, Request, Response
from harness.cassettes.scrubbing.binary import BinaryScrubber
from harness.cassettes.scrubbing.body import BodyScrubber
from harness.cassettes.scrubbing.headers import rule_of
from harness.cassettes.scrubbing.masking import Finder, mask
from harness.errors import InputError, WireError
from harness.wire import event_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.cassettes.scrubbing.headers import HeaderRule
    from harness.cassettes.scrubbing.masking import Found


class IncrementalScrubber:
    """Masks the secrets of one body while it arrives; its first bytes decide how.

    Args:
        finder: finds secrets.
        on_masked: called with the kind of each secret that is masked.
    """

    def __init__(self, finder: Finder, on_masked: Callable[[str], None]) -> None:
        self._finder, self._on_masked = finder, on_masked
        self._start = b""
        self._scrubber: BodyScrubber | BinaryScrubber | None = None

    def feed(self, piece: bytes) -> bytes:
        """Read the next bytes; return those that are decided, in order.

        Raises:
            WireError: they are binary events that cannot be read.
        """
        if self._scrubber is None:
            self._start += piece
            if len(self._start) < event_stream.SNIFFED:
                return b""
            self._scrubber, piece = self._choose(), self._start
        return self._scrubber.feed(piece)

    def close(self) -> bytes:
        """Return the remaining bytes, without an incomplete binary event."""
        if self._scrubber is None:
            self._scrubber = self._choose()
            return self._scrubber.feed(self._start) + self._scrubber.close()
        return self._scrubber.close()

    def check(self) -> None:
        """Check that ``close`` returned all bytes.

        Raises:
            WireError: the body ended in an incomplete binary event.
        """
        if isinstance(self._scrubber, BinaryScrubber):
            self._scrubber.check()

    def _choose(self) -> BodyScrubber | BinaryScrubber:
        kind = BinaryScrubber if event_stream.sniff(self._start) else BodyScrubber
        return kind(self._finder, self._on_masked)


class Scrubber:
    """Masks the secrets of what is to be written, and counts them by kind in ``found``.

    Args:
        secrets: exact texts that are secrets too; None takes them from this process's environment.
    """

    def __init__(self, secrets: tuple[str, ...] | None = None) -> None:
        self._finder = Finder(secrets)
        self.found: Counter[str] = Counter()

    def cassette(self, cassette: Cassette) -> Cassette:
        """Return a cassette without secrets."""
        return Cassette(tuple(map(self.interaction, cassette.interactions)))

    def interaction(self, interaction: Interaction) -> Interaction:
        """Return an exchange without secrets."""
        return Interaction(self.request(interaction.request), self.response(interaction.response))

    def request(self, request: Request) -> Request:
        """Return a request without secrets."""
        headers = self.headers(request.headers)  # first: secrets are learned from them
        uri, body = self.text(request.uri), self.content(request.body)
        return replace(request, uri=uri, headers=headers, body=body)

    def response(self, response: Response) -> Response:
        """Return a response without secrets."""
        headers, body = self.headers(response.headers), self.content(response.body)
        return replace(response, headers=headers, body=body)

    def headers(self, headers: Headers) -> Headers:
        """Return headers without secrets."""
        return tuple((name, self._header(name, value)) for name, value in headers)

    def text(self, text: str) -> str:
        """Return a text, such as a URL or a line, without secrets."""
        content = bytearray(text.encode())
        for found in self._finder.find(bytes(content)):
            if mask(content, found.start, found.end):
                self._count(found.name)
        return content.decode()

    def content(self, body: bytes) -> bytes:
        """Return a complete body without secrets.

        Raises:
            InputError: it consists of binary events that cannot be read.
        """
        scrubbing = self.body()
        try:
            clean = scrubbing.feed(body) + scrubbing.close()
            scrubbing.check()
        except WireError as error:
            raise InputError(str(error)) from None
        return clean

    def leaks(self, content: bytes) -> list[tuple[int, str]]:
        """Return the offset in bytes and the kind of each secret in a text, without overlaps."""
        secrets: list[Found] = []
        for found in sorted(self._finder.find(content), key=lambda found: found.start):
            if not secrets or found.start >= secrets[-1].end:
                secrets.append(found)
        return [(found.start, found.name) for found in secrets]

    def body(self) -> IncrementalScrubber:
        """Return a scrubber for one body that arrives in pieces."""
        return IncrementalScrubber(self._finder, self._count)

    def _count(self, name: str) -> None:
        self.found[name] += 1

    def _header(self, name: str, value: str) -> str:
        rule = rule_of(name)
        if rule is None:
            return self.text(value)
        content = bytearray(value.encode())
        for start, end in _spans(rule, bytes(content)):
            if rule.is_learned:
                self._finder.learn(bytes(content[start:end]))
            if mask(content, start, end):
                self._count(rule.name)
        return content.decode()


def _spans(rule: HeaderRule, value: bytes) -> Iterator[tuple[int, int]]:
    return (hit.span("s") for hit in rule.value.finditer(value))
