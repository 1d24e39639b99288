"""Pure: Python's types as JSON schemas, and JSON as instances of them."""
