"""Training of the embedded demo voice detector, from nothing to ONNX files."""
