"""The thin shell: Starlette in and out, one module an API. What is decided is decided in `wire`."""
