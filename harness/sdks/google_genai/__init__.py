"""The SDK ``google-genai``: its client and ``generate_content``."""
