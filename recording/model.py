"""A handmade language model of four hundred tokens that generates fixed sentences, byte for byte.

Theory of operation: it is a bigram Llama. Each token has a random direction; the output layer
points from each token to the one that follows it; the attention and feed-forward layers add
nothing. So any llama.cpp loads it, it needs no training, and it generates the same text on every
machine. The chat template puts the marker of a sentence after the prompt, chosen by a word in the
prompt, and generation continues from there.

Rules of this file: each token has one follower, so no piece may occur twice; text that is not ASCII
is written in byte tokens, so its characters arrive in parts, as from real models.
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
_STEP = 3.0  # weight of a token's follower in the output layer

# What selects a sentence (a word of the prompt, or "tools") -> its pieces. The sentence of
# "endless" repeats until generation is stopped.
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

# The token types of a GGUF vocabulary.
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_SPECIAL = {"<unk>": _UNKNOWN, "<s>": _CONTROL, "</s>": _CONTROL}
_UNK, _BOS, _EOS = range(len(_SPECIAL))
_SPACE = "\u2581"  # SentencePiece's space

# Tool calls in the format of Hermes, which llama.cpp recognises by the template.
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
    """Return the model as the bytes of a GGUF file."""
    tokens = _vocabulary()
    return gguf(_head(tokens), _tensors(list(tokens)))


def _pieces(text: str) -> Iterator[str]:
    """Return the tokens of a piece: itself, or its bytes if it is not ASCII."""
    if text.isascii():
        yield text.replace(" ", _SPACE)
    else:
        yield from (f"<0x{byte:02X}>" for byte in text.encode())


def chains(pieces: Callable[[str], Iterator[str]], end: str) -> Iterator[list[str]]:
    """Yield the tokens of each sentence, after its marker.

    Args:
        pieces: returns the tokens of a piece.
        end: the token that ends a sentence, unless it repeats.
    """
    for name, sentence in SENTENCES.items():
        chain = [token for piece in sentence for token in pieces(piece)]
        yield [f"<|{name}|>", *chain, chain[0] if name == "endless" else end]


def _chains() -> Iterator[list[str]]:
    return chains(_pieces, "</s>")


def _vocabulary() -> dict[str, int]:
    """Return all tokens and their types: special, bytes, those of sentences, letters of prompts."""
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
        "tokenizer.ggml.scores": [-float(index) for index in range(len(tokens))],
        "tokenizer.ggml.token_type": list(tokens.values()),
        "tokenizer.ggml.bos_token_id": _BOS,
        "tokenizer.ggml.eos_token_id": _EOS,
        "tokenizer.ggml.unknown_token_id": _UNK,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.chat_template": TEMPLATE.strip(),
    }


def _tensors(tokens: Sequence[str]) -> Tensors:
    rng = random.Random(SEED)  # noqa: S311 - the same model everywhere
    directions, outputs = tables(tokens, followers(_chains()), rng)
    square, ones = (WIDTH, WIDTH), ((WIDTH,), [1.0] * WIDTH)
    zeros = (square, [0.0] * WIDTH * WIDTH)
    noise = (square, [rng.gauss(0, 0.02) for _ in range(WIDTH * WIDTH)])
    layer = {
        **dict.fromkeys(("attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up"), noise),
        **dict.fromkeys(("attn_output", "ffn_down"), zeros),
        **dict.fromkeys(("attn_norm", "ffn_norm"), ones),
    }
    return {
        "token_embd.weight": ((WIDTH, len(tokens)), directions),
        "output_norm.weight": ones,
        "output.weight": ((WIDTH, len(tokens)), outputs),
        **{f"blk.0.{name}.weight": tensor for name, tensor in layer.items()},
    }


def tables(
    tokens: Sequence[str], following: Mapping[str, str], rng: random.Random
) -> tuple[list[float], list[float]]:
    """Return the directions of the tokens and the output layer that points to their followers.

    Args:
        tokens: every token, in the order of its number.
        following: the follower of each token.
        rng: the source of the directions.
    """
    directions = [_direction(rng) for _ in tokens]
    outputs = [[0.0] * WIDTH for _ in tokens]
    for token, follower in following.items():
        row, direction = outputs[tokens.index(follower)], directions[tokens.index(token)]
        row[:] = [here + _STEP * there for here, there in zip(row, direction, strict=True)]
    return _flat(directions), _flat(outputs)


def followers(chains_: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return the follower of each token in some chains.

    Raises:
        ValueError: a token occurs twice.
    """
    following: dict[str, str] = {}
    for token, follower in (pair for chain in chains_ for pair in pairwise(chain)):
        if token in following:
            raise ValueError(f"the token {token!r} occurs twice")
        following[token] = follower
    return following


def _direction(rng: random.Random) -> list[float]:
    numbers = [rng.gauss(0, 1) for _ in range(WIDTH)]
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]


def _flat(rows: Sequence[Sequence[float]]) -> list[float]:
    return [number for row in rows for number in row]
