"""Recordings of other tools, imported as cassettes.

- ``files``: finds recordings on disk and imports each.
- ``formats``: the table of formats; each is read by a module of its own.
- ``source``: one file, read with limits and errors that name it.
- ``exchanges``, ``message_parts``: build the parts of an exchange that a format does not record.
"""
