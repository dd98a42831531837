"""Bytes to frames and back; this package knows no provider.

- ``sse``: server-sent events, read and written.
- ``event_stream``: the binary event streams of AWS, read and written.
- ``json_array``: one JSON array, read as it arrives.
- ``cut_plans``: where a byte stream is split into reads.
- ``script``: a scripted response: frames, status, headers, cut plan, pace and end.
"""
