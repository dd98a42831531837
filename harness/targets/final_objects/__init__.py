"""The SDKs' finished objects as values of ours: Response, ChatCompletion, Message, Content.

Rules of this package: what an object holds is taken over, what it lacks is not invented; a call
is complete if its arguments are one JSON object and nothing in the object says it was cut; objects
are read by attribute, because SDKs build them without validation and any field may be missing.
common.py is shared; then one module a protocol.
"""
