"""llama.cpp as a server, as long as its standard input is open: ``python serve.py MODEL PORT``.

Run by the interpreter of .venv-engines/llamacpp, which has xllamacpp and nothing of the harness.
Attribute names follow llama.cpp's own and change with it, so its version is pinned.
"""

from __future__ import annotations

import sys

import xllamacpp

NAME = "tiny-bigram"  # what its answers call the model, instead of a path of this machine


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
    params.cache_prompt = False  # or its counts depend on who asked before
    params.sampling.temp = 0.0
    return xllamacpp.Server(params)


if __name__ == "__main__":
    server = serve(sys.argv[1], int(sys.argv[2]))
    sys.stdin.read()
