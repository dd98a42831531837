"""Recordings of real engines, made again by one command: see __main__.py."""
