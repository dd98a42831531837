"""A language model of four hundred tokens, made by hand: it says fixed sentences, byte for byte.

A bigram Llama. Each token has a direction of its own; the output layer points from each token to
the one that follows it; attention and feed-forward layers add nothing. So it is a model that any
llama.cpp loads, needs no training, and says the same on every machine. The chat template puts the
marker of a sentence behind the prompt, chosen by a word of it, and the chain runs from there.

Rules of this file: one token follows one token, so no piece may stand in two places; what is no
ASCII is spelled in byte tokens, so its characters arrive in halves, as they do from real models.
"""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import TYPE_CHECKING

from recording.gguf import gguf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from recording.gguf import Tensors, Value

WIDTH, HEADS, CONTEXT, SEED = 64, 2, 4096, 1
_STEP = 3.0  # how much further the output layer points to a token's follower than to all others

# Who asks for it (a word of the prompt, or "tools") -> the pieces of the sentence. The one of
# "endless" begins again where it ends, until somebody stops it.
SENTENCES: Mapping[str, Sequence[str]] = {
    "text": (
        "A", " stream", " begins", " with", " its", " role", ",", " goes", " on", " in", " caf",
        "é", " or", " ", "中", " pieces", " and", " ends", " once", ".",
    ),
    "emoji": ("🚀", " lift", "-", "off", "!"),
    "endless": ("Round", " we", " go", ";", " again", "\n"),
    "tools": (
        "Let", " me", " look", ":", "\n<tool_call>\n", '{"name": "', "get_weather",
        '", "arguments": {"', "city", '": "', "Paris", '"}}', "\n</tool_call>",
    ),
}  # fmt: skip

# The kinds of tokens in a GGUF vocabulary.
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_SPECIAL = {"<unk>": _UNKNOWN, "<s>": _CONTROL, "</s>": _CONTROL}
_UNK, _BOS, _EOS = range(len(_SPECIAL))
_SPACE = "\u2581"  # how SentencePiece writes a blank

# Hermes' way of writing calls, which llama.cpp knows by its template.
TEMPLATE = """
{%- if tools %}{{- '<|im_start|>system\\n<tools>' }}
{%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}
{{- '\\n</tools>\\nWrite <tool_call>\\n{"name": <name>, "arguments": <object>}\\n</tool_call>' }}
{{- '<|im_end|>\\n' }}{%- endif %}
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' }}
{%- if message.content %}{{- message.content }}{%- endif %}
{%- for call in message.tool_calls or [] %}
{{- '\\n<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
{{- call.function.arguments | tojson }}{{- '}\\n</tool_call>' }}
{%- endfor %}{{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}
{%- if tools %}{{- '<|tools|>' }}
{%- elif 'emoji' in (messages | tojson) %}{{- '<|emoji|>' }}
{%- elif 'endless' in (messages | tojson) %}{{- '<|endless|>' }}
{%- else %}{{- '<|text|>' }}{%- endif %}{%- endif %}
"""


def model() -> bytes:
    """Return the bytes of the model's GGUF."""
    tokens = _vocabulary()
    return gguf(_head(tokens), _tensors(list(tokens)))


def _pieces(text: str) -> Iterator[str]:
    """Return the tokens of a piece: itself, or its bytes where it is no ASCII."""
    if text.isascii():
        yield text.replace(" ", _SPACE)
    else:
        yield from (f"<0x{byte:02X}>" for byte in text.encode())


def chains(pieces: Callable[[str], Iterator[str]], end: str) -> Iterator[list[str]]:
    """Yield the tokens of each sentence, behind its marker.

    Args:
        pieces: a piece -> its tokens.
        end: the token that ends a sentence, unless it begins again.
    """
    for name, sentence in SENTENCES.items():
        said = [token for piece in sentence for token in pieces(piece)]
        yield [f"<|{name}|>", *said, said[0] if name == "endless" else end]


def _chains() -> Iterator[list[str]]:
    return chains(_pieces, "</s>")


def _vocabulary() -> dict[str, int]:
    """Return every token and its kind: special, a byte each, what is said, letters for prompts."""
    tokens = dict(_SPECIAL)
    tokens |= {f"<0x{byte:02X}>": _BYTE for byte in range(256)}
    for chain in _chains():
        tokens[chain[0]] = _CONTROL
        tokens |= {token: _NORMAL for token in chain[1:] if token not in tokens}
    return tokens | {letter: _NORMAL for letter in map(chr, range(33, 127)) if letter not in tokens}


def _head(tokens: Mapping[str, int]) -> dict[str, Value]:
    return {
        "general.architecture": "llama",
        "general.name": "tiny bigram",
        "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH,
        "llama.block_count": 1,
        "llama.feed_forward_length": WIDTH,
        "llama.attention.head_count": HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": WIDTH // HEADS,
        "llama.vocab_size": len(tokens),
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": list(tokens),
        "tokenizer.ggml.scores": [-float(place) for place in range(len(tokens))],
        "tokenizer.ggml.token_type": list(tokens.values()),
        "tokenizer.ggml.bos_token_id": _BOS,
        "tokenizer.ggml.eos_token_id": _EOS,
        "tokenizer.ggml.unknown_token_id": _UNK,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.chat_template": TEMPLATE.strip(),
    }


def _tensors(tokens: Sequence[str]) -> Tensors:
    dice = random.Random(SEED)  # noqa: S311 - the same model everywhere
    directions, outputs = tables(tokens, followers(_chains()), dice)
    square, ones = (WIDTH, WIDTH), ((WIDTH,), [1.0] * WIDTH)
    nothing = (square, [0.0] * WIDTH * WIDTH)
    noise = (square, [dice.gauss(0, 0.02) for _ in range(WIDTH * WIDTH)])
    layer = {
        **dict.fromkeys(("attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up"), noise),
        **dict.fromkeys(("attn_output", "ffn_down"), nothing),
        **dict.fromkeys(("attn_norm", "ffn_norm"), ones),
    }
    return {
        "token_embd.weight": ((WIDTH, len(tokens)), directions),
        "output_norm.weight": ones,
        "output.weight": ((WIDTH, len(tokens)), outputs),
        **{f"blk.0.{name}.weight": tensor for name, tensor in layer.items()},
    }


def tables(
    tokens: Sequence[str], following: Mapping[str, str], dice: random.Random
) -> tuple[list[float], list[float]]:
    """Return the directions of the tokens and the output layer that points to their followers.

    Args:
        tokens: every token, in the order of its number.
        following: a token -> what follows it.
        dice: where the directions come from.
    """
    directions = [_direction(dice) for _ in tokens]
    outputs = [[0.0] * WIDTH for _ in tokens]
    for token, follower in following.items():
        row, way = outputs[tokens.index(follower)], directions[tokens.index(token)]
        row[:] = [here + _STEP * there for here, there in zip(row, way, strict=True)]
    return _flat(directions), _flat(outputs)


def followers(said: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return what follows each token in some chains.

    Raises:
        ValueError: a token stands in two places.
    """
    found: dict[str, str] = {}
    for token, follower in (pair for chain in said for pair in pairwise(chain)):
        if token in found:
            raise ValueError(f"the token {token!r} stands in two places")
        found[token] = follower
    return found


def _direction(dice: random.Random) -> list[float]:
    numbers = [dice.gauss(0, 1) for _ in range(WIDTH)]
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]


def _flat(rows: Sequence[Sequence[float]]) -> list[float]:
    return [number for row in rows for number in row]
