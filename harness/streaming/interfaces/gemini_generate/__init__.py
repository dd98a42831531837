"""The streaming interface of Gemini generateContent."""
