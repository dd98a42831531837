"""The model of ``model`` as a checkpoint folder for transformers: a Qwen2 of one layer.

It generates the same sentences by the same construction. Its tokens are bytes, each written as a
letter, and it includes a response template, from which the server knows the format of tool calls;
llama.cpp knows it from the chat template.

Rule of this file: the same files on every machine, written without the packages that read them.
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
    """Write the files of the checkpoint into a folder, creating it."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = _vocabulary()
    for name, content in _texts(tokens).items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    (folder / "model.safetensors").write_bytes(_safetensors(_tensors(tokens)))


def _letters() -> dict[int, str]:
    """Return the letter of each byte in byte-level tokenizers: itself if printable, or shifted."""
    shown = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = [byte for byte in range(256) if byte not in shown]
    return {byte: chr(byte) for byte in shown} | {
        byte: chr(256 + index) for index, byte in enumerate(hidden)
    }


_LETTERS = _letters()


def _pieces(text: str) -> Iterator[str]:
    """Return the tokens of a piece: itself, or its bytes if it is not ASCII."""
    letters = [_LETTERS[byte] for byte in text.encode()]
    yield from ["".join(letters)] if text.isascii() else letters


def _chains() -> Iterator[list[str]]:
    return model.chains(_pieces, _END)


def _vocabulary() -> list[str]:
    chained = [token for chain in _chains() for token in chain]
    return [*dict.fromkeys((*_LETTERS.values(), *_SPECIAL, *chained))]


def _texts(tokens: Sequence[str]) -> dict[str, Any]:
    """Return the content of the JSON files by name."""
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
        "response_template": _response_template(),
    }
    return {
        "config.json": config,
        "generation_config.json": {"do_sample": False, **ends},
        "tokenizer_config.json": tokenizer_config,
        "tokenizer.json": _tokenizer(tokens),
    }


def _response_template() -> dict[str, Any]:
    """Return the response template: text after a marker, with tool calls in Hermes format."""
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
    rng = random.Random(model.SEED)  # noqa: S311 - the same model everywhere
    directions, outputs = model.tables(tokens, model.followers(_chains()), rng)
    square, vector = (_WIDTH, _WIDTH), (_WIDTH,)
    zeros, ones = (square, [0.0] * _WIDTH * _WIDTH), (vector, [1.0] * _WIDTH)
    layer = {
        **{f"self_attn.{name}_proj.weight": zeros for name in "qkvo"},
        **{f"self_attn.{name}_proj.bias": (vector, [0.0] * _WIDTH) for name in "qkv"},
        **{f"mlp.{name}_proj.weight": zeros for name in ("gate", "up", "down")},
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
    """Return tensors in the format of https://github.com/huggingface/safetensors#format."""
    head: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = bytearray()
    for name, (shape, numbers) in tensors.items():
        start = len(data)
        data += struct.pack(f"<{len(numbers)}f", *numbers)
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    coded = json.dumps(head).encode()
    coded += b" " * (-len(coded) % 8)
    return struct.pack("<Q", len(coded)) + coded + data
