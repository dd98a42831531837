"""Recordings of real HTTP traffic: byte-exact, scrubbed, readable by plain vcrpy.

cassette.py is the value everything here hands on.
"""
