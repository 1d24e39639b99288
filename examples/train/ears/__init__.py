"""Training of the embedded demo recogniser, from nothing to ONNX files."""
