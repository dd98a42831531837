"""Repairing message histories so that a provider accepts them, one module per message form."""
