"""Other libraries as targets, one module per library."""
