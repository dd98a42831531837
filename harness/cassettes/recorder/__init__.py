"""The recorder: a loopback proxy that streams through and takes everything down.

upstreams.py knows whom it stands for and how SDKs are told, wrapping.py does so to clients that are
made already; client.py and upstream.py are the two
ends of one connection, desk.py is what they share; scribe.py takes down what passes, tape.py is one
exchange on its way to the journal, journal.py the file that survives a crash; shelf.py knows what
is known already; session.py is all of it together.

Rule of this room: bytes pass first and are taken down second; nothing is kept that is not scrubbed;
the reader of a stream never waits for the disk.
"""
