"""Recordings that others made, as cassettes.

walking.py finds them on disk, formats.py tells by a table which form a file has and who reads it;
one module each reads a form. exchanges.py makes exchanges of what the forms do not keep.
"""
