"""Runs: what the service promised to do, how far it came, and who may work on a conversation.

statuses.py is the table from a stop reason to a status, store.py keeps runs, lock.py lets one run
at a time work on a conversation. Both keep theirs in SQLite or PostgreSQL, by DSN.
"""
