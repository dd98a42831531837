"""Where traces, runs and locks are kept: one SQL, two databases.

database.py says what a database is here and opens one by its DSN; schema.py grows tables by steps;
sqlite.py and postgres.py are the doors to the two, and postgres.py is the only importer of psycopg.

Rule of this room: a statement is written once, in SQL both databases read, with ``:name`` for a
value; no value is ever written into a statement's text.
"""
