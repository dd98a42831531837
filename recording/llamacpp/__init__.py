"""llama.cpp: its lock file, and the server script that runs in the environment of that lock."""
