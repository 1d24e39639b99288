"""Training of the embedded demo language model, from nothing to a GGUF file."""
