"""llama.cpp: the server that the environment of its lock runs, and that lock."""
