"""OpenAI's words, and nothing else: bytes to values and values to bytes, one module an API. No I/O, no clock."""
