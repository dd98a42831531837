"""The mock provider: it replays scripted responses byte for byte, over a socket or in memory.

- ``response_registry``: scripts by key, and the log of the exchanges of each key.
- ``default_responses``: the responses for requests that match no script.
- ``server``, ``connection``: the loopback server on 127.0.0.1, for every SDK version and language.
- ``transport``: the same in memory, for the installed SDKs.
- ``recordings``: recorded responses read from disk.

Rule of this package: both transports behave alike: same reads, same errors, same exchange log.
"""
