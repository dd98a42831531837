"""The store of runs, their statuses, and the lock on a conversation.

statuses.py maps a stop reason to a status, store.py stores runs, lock.py lets one run at a time
work on a conversation. Both use SQLite or PostgreSQL, named by a DSN.
"""
