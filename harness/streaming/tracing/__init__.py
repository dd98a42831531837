"""Traces: one record per step, with the request to a provider and its outcome.

trace.py is the record, backend.py the interface of a trace backend, manager.py writes to all of
them and never fails the stream, configuration.py makes them from DSNs. database.py, unix_socket.py
and open_telemetry.py are the backends (conventions.py maps a trace to OpenTelemetry attributes).
lookup.py reads one stored trace, scenario_draft.py turns it back into a stream and a scenario file.
"""
