"""The streaming interface of OpenAI Chat Completions."""
