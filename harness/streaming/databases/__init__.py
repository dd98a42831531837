"""Databases for traces, runs and locks: SQLite and PostgreSQL with the same SQL.

database.py is the interface of a database and opens one by its DSN; schema.py creates and upgrades
tables in steps; options.py reads the options of a DSN; sqlite.py and postgres.py are the two
implementations. postgres.py is the only importer of psycopg.

Rule of this package: a statement is written once, in SQL that both databases accept, with ``:name``
for a value; no value is ever written into the text of a statement.
"""
