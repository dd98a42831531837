"""Records real engines into ``cassettes/``: ``python -m recording``, see ``__main__``."""
