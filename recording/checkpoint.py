"""The model of model.py once more, as a folder that transformers loads: a Qwen2 of one layer.

The same sentences and the same way of saying them. Its tokens are bytes, each written as a letter,
and it brings what tells the server where its calls are, as llama.cpp knows from the chat template.

Rule of this file: the same files on every machine, written without any package that reads them.
"""

from __future__ import annotations

import json
import random
import struct
from typing import TYPE_CHECKING, Any

from recording import model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_END = "<|im_end|>"
_SPECIAL = ("<|im_start|>", _END)
_WIDTH = model.WIDTH


def write(folder: Path) -> None:
    """Write the files of the checkpoint into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = _vocabulary()
    for name, content in _texts(tokens).items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    (folder / "model.safetensors").write_bytes(_safetensors(_tensors(tokens)))


def _letters() -> dict[int, str]:
    """Return how byte-level tokenizers write each byte: as itself where it shows, else moved."""
    shown = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = [byte for byte in range(256) if byte not in shown]
    return {byte: chr(byte) for byte in shown} | {
        byte: chr(256 + place) for place, byte in enumerate(hidden)
    }


_LETTERS = _letters()


def _pieces(text: str) -> Iterator[str]:
    """Return the tokens of a piece: itself, or its bytes where it is no ASCII."""
    letters = [_LETTERS[byte] for byte in text.encode()]
    yield from ["".join(letters)] if text.isascii() else letters


def _chains() -> Iterator[list[str]]:
    return model.chains(_pieces, _END)


def _vocabulary() -> list[str]:
    said = [token for chain in _chains() for token in chain]
    return [*dict.fromkeys((*_LETTERS.values(), *_SPECIAL, *said))]


def _texts(tokens: Sequence[str]) -> dict[str, Any]:
    """Return the files that are JSON."""
    ends = {"eos_token_id": tokens.index(_END), "pad_token_id": tokens.index(_END)}
    config = {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "dtype": "float32",
        "hidden_size": _WIDTH,
        "intermediate_size": _WIDTH,
        "max_position_embeddings": model.CONTEXT,
        "num_attention_heads": model.HEADS,
        "num_hidden_layers": 1,
        "num_key_value_heads": model.HEADS,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "vocab_size": len(tokens),
        **ends,
    }
    tokenizer_config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": _END,
        "pad_token": _END,
        "clean_up_tokenization_spaces": False,
        "chat_template": model.TEMPLATE.strip(),
        "response_template": _reading(),
    }
    return {
        "config.json": config,
        "generation_config.json": {"do_sample": False, **ends},
        "tokenizer_config.json": tokenizer_config,
        "tokenizer.json": _tokenizer(tokens),
    }


def _reading() -> dict[str, Any]:
    """Return how an answer is read: it begins behind a marker, and writes calls as Hermes does."""
    call = {"type": "function", "function": "{content}"}
    return {
        "defaults": {"role": "assistant"},
        "start_anchor": [f"<|{name}|>" for name in model.SENTENCES],
        "fields": {
            "tool_calls": {
                "open_pattern": r"\s*<tool_call>",
                "close": "</tool_call>",
                "repeats": True,
                "content": "json",
                "transform": call,
            },
            "content": {"close": _END, "content": "text"},
        },
    }


def _tokenizer(tokens: Sequence[str]) -> dict[str, Any]:
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    markers = {*_SPECIAL, *(chain[0] for chain in _chains())}
    special = [
        {"id": number, "content": token, "special": True, **plain}
        for number, token in enumerate(tokens)
        if token in markers
    ]
    bytewise = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return {
        "version": "1.0",
        "added_tokens": special,
        "pre_tokenizer": {**bytewise, "use_regex": False},
        "decoder": {**bytewise, "use_regex": False},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    }


def _tensors(tokens: Sequence[str]) -> dict[str, tuple[tuple[int, ...], list[float]]]:
    dice = random.Random(model.SEED)  # noqa: S311 - the same model everywhere
    directions, outputs = model.tables(tokens, model.followers(_chains()), dice)
    square, vector = (_WIDTH, _WIDTH), (_WIDTH,)
    nothing, ones = (square, [0.0] * _WIDTH * _WIDTH), (vector, [1.0] * _WIDTH)
    layer = {
        **{f"self_attn.{name}_proj.weight": nothing for name in "qkvo"},
        **{f"self_attn.{name}_proj.bias": (vector, [0.0] * _WIDTH) for name in "qkv"},
        **{f"mlp.{name}_proj.weight": nothing for name in ("gate", "up", "down")},
        **dict.fromkeys(("input_layernorm.weight", "post_attention_layernorm.weight"), ones),
    }
    table = (len(tokens), _WIDTH)
    return {
        "model.embed_tokens.weight": (table, directions),
        "model.norm.weight": ones,
        "lm_head.weight": (table, outputs),
        **{f"model.layers.0.{name}": tensor for name, tensor in layer.items()},
    }


def _safetensors(tensors: Mapping[str, tuple[tuple[int, ...], Sequence[float]]]) -> bytes:
    """Return a file of numbers: https://github.com/huggingface/safetensors#format."""
    head: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = bytearray()
    for name, (shape, numbers) in tensors.items():
        start = len(data)
        data += struct.pack(f"<{len(numbers)}f", *numbers)
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    coded = json.dumps(head).encode()
    coded += b" " * (-len(coded) % 8)
    return struct.pack("<Q", len(coded)) + coded + data
