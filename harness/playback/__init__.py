"""A provider that says what it is told, byte for byte, over a socket or in memory.

stage.py keeps what is to be said under a key and what happened when somebody asked, notices.py
words the answers nobody wrote a script for; two speakers share them: server.py (connection.py is
one client of it) on 127.0.0.1, for every SDK version and language, and transport.py in memory, for
the SDKs of today. What one speaker does the other does: same reads, same errors, same evidence.
"""
