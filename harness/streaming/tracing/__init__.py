"""Traces: one record a step of what was asked of a provider and what came back.

trace.py is the record, backend.py what a place that keeps records is, manager.py writes to all of
them without ever failing the stream, configuration.py makes them from DSNs; database.py,
unix_socket.py and open_telemetry.py are the places (conventions.py words a trace as OpenTelemetry
does), finding.py reads one back without changing anything, and replaying.py turns a trace back into
a stream, and into a scenario.
"""
