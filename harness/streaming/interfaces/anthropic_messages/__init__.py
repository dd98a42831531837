"""The streaming interface of Anthropic Messages."""
