"""Serves llama.cpp until its standard input is closed: ``python serve.py MODEL PORT``.

Run by the interpreter of .venv-engines/llamacpp, which has xllamacpp but not the harness. The
attribute names are llama.cpp's own and change with it, so its version is pinned.
"""

from __future__ import annotations

import sys

import xllamacpp

NAME = "tiny-bigram"  # the model name in responses, instead of a local path


def serve(path: str, port: int) -> xllamacpp.Server:
    """Return a running server; it stops with the process."""
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.model_alias = {NAME}
    params.use_jinja = True
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cache_prompt = False  # otherwise its counts depend on earlier requests
    params.sampling.temp = 0.0
    return xllamacpp.Server(params)


if __name__ == "__main__":
    server = serve(sys.argv[1], int(sys.argv[2]))
    sys.stdin.read()
