"""Bytes to frames and back; this room knows no provider.

sse.py reads and writes server-sent events, event_stream.py the binary ones of AWS, json_array.py
reads one JSON array as it arrives, cutting.py says where a byte stream is split into reads,
script.py is what a server will speak.
"""
