"""The recorder: a loopback proxy that forwards streams and records them.

- ``upstreams``: the servers behind the proxy, and the environment variables that redirect SDKs.
- ``wrapping``: redirects SDK clients that exist already.
- ``client_connection``, ``upstream_connection``: the two ends of a proxied connection.
- ``proxy_state``: what all connections share.
- ``write_queue``: hands forwarded bytes to the recorder of their exchange, off the hot path.
- ``exchange_recorder``: parses, decodes and scrubs one exchange and appends it to the journal.
- ``journal``: the append-only file that survives a crash.
- ``playback_index``: the record modes, and the recorded responses to replay.
- ``session``: the context manager that runs all of it.

Rules of this package: bytes are forwarded before they are recorded; only scrubbed bytes reach the
disk; forwarding never waits for the disk.
"""
