"""Scrubbing: secrets are masked before anything is written.

- ``patterns``, ``headers``: the tables of what is secret.
- ``masking``: finds secrets in bytes and masks them in place.
- ``json_texts``: the texts of a JSON document and their positions in its bytes.
- ``events``: the same for server-sent events, faster, by the shape of earlier events.
- ``incremental_text``: a text that arrives in fragments, and how far it is decided.
- ``body``: a body scrubbed while it arrives; its docstring states the guarantee.
- ``binary``: the same for a body of binary events.
- ``scrubber``: a whole exchange, and a body of either kind.
"""

from harness.cassettes.scrubbing.scrubber import Scrubber

__all__ = ["Scrubber"]
