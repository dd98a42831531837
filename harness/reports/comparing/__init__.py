"""Reports of a comparison, one module per format; ``page`` holds the lines that a person reads."""
