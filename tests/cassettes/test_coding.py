"""Content codings are decoded incrementally: the same under any cut, and in bounded memory."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
import zlib
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes import coding as coding_module
from harness.cassettes.coding import PIECE, ContentDecoder, codings_of, decoded
from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

brotli: Any = import_module("brotli")
zstd: Any = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def _bare(body: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(body) + machine.flush()


CODED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "gzip of two members": ("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
    "zlib": ("deflate", zlib.compress),
    "bare deflate": ("deflate", _bare),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
    "zstd of two frames": ("zstd", lambda body: zstd.compress(body[:9]) + zstd.compress(body[9:])),
}  # fmt: skip
BODY = b"".join(f"data: {number * number}\n\n".encode() for number in range(2000))
each = pytest.mark.parametrize("name", CODED)


def decode_all(decoder: ContentDecoder, pieces: list[bytes]) -> list[bytes]:
    return [part for piece in pieces for part in decoder.feed(piece)]


@each
@pytest.mark.parametrize("size", [1, 2, 7, 1000, 10**6])
def test_a_coding_is_decoded_under_any_cut(name: str, size: int) -> None:
    coding, coded = CODED[name]
    stored = coded(BODY)
    cuts = pairwise([*range(0, len(stored), size), len(stored)])
    assert b"".join(decode_all(ContentDecoder([coding]), [stored[a:b] for a, b in cuts])) == BODY
    assert decoded(stored, coding) == BODY


@each
def test_flushed_data_is_decoded_at_once(name: str) -> None:
    """A stream is compressed event by event: no event may wait for the next."""
    coding, _ = CODED[name]
    machine: Any = {
        "gzip": lambda: zlib.compressobj(wbits=31), "deflate": zlib.compressobj,
        "br": brotli.Compressor, "zstd": zstd.ZstdCompressor,
    }[coding]()  # fmt: skip
    decoder = ContentDecoder([coding])
    for event in (b"data: 1\n\n", b"data: 2\n\n"):
        if coding == "zstd":
            sent = machine.compress(event, machine.FLUSH_BLOCK)
        elif coding == "br":
            sent = machine.process(event) + machine.flush()
        else:
            sent = machine.compress(event) + machine.flush(zlib.Z_SYNC_FLUSH)
        assert b"".join(decoder.feed(sent)) == event


@each
def test_a_decompression_bomb_is_decoded_in_pieces(name: str) -> None:
    coding, coded = CODED[name]
    size = 32 * 1024 * 1024
    stored = coded(bytes(size))
    assert len(stored) < size / 900
    tracemalloc.start()
    sizes = [len(piece) for piece in ContentDecoder([coding]).feed(stored)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) == size
    assert max(sizes) <= PIECE * 1.5
    assert peak < 1024 * 1024


@each
def test_a_body_over_the_limit_is_an_error(name: str) -> None:
    coding, coded = CODED[name]
    with pytest.raises(InputError, match="the decompressed body is larger than 100,000 bytes"):
        decode_all(ContentDecoder([coding], limit=100_000), [coded(bytes(200_000))])


@each
def test_a_truncated_body_is_decoded_as_far_as_possible(name: str) -> None:
    coding, coded = CODED[name]
    found = b"".join(decode_all(ContentDecoder([coding]), [coded(BODY)[:-9]]))
    assert BODY.startswith(found)


@each
def test_invalid_bytes_are_an_error(name: str) -> None:
    coding, _ = CODED[name]
    with pytest.raises(InputError, match=f"is not a complete {coding} stream; record it again"):
        decode_all(ContentDecoder([coding]), [b"\xff\xfe nonsense " * 99])


def test_a_window_too_large_for_the_web_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 27}
    with pytest.raises(InputError, match="is not a complete zstd stream"):
        decode_all(ContentDecoder(["zstd"]), [zstd.compress(bytes(10**7), options=options)])


def test_bytes_after_the_last_member_are_ignored() -> None:
    assert decode_all(
        ContentDecoder(["gzip"]), [gzip.compress(b"a"), b"\x1f", b"x", b"\x1f\x8b"]
    ) == [b"a"]
    assert decode_all(ContentDecoder(["deflate"]), [zlib.compress(b"a") + b"more"]) == [b"a"]


def test_several_codings_are_decoded_in_order() -> None:
    stored = brotli.compress(gzip.compress(BODY))
    words = codings_of(["GZIP, identity", " br"])
    assert words == ["br", "identity", "gzip"]
    assert b"".join(decode_all(ContentDecoder(words), [stored[:50], stored[50:]])) == BODY
    assert b"".join(decode_all(ContentDecoder([]), [stored])) == stored


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_a_missing_library_is_an_error_with_the_cure(
    coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("brotli", "brotlicffi", "compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=rf"compressed with {coding}; pip install '.*\[codings\]'"):
        ContentDecoder([coding])


def test_a_brotli_library_without_output_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        """The API of brotli before 1.2."""

        error = ValueError
        Decompressor = object

    monkeypatch.setattr(coding_module, "import_module", lambda _: Old)
    with pytest.raises(InputError, match="pip install"):
        ContentDecoder(["br"])
