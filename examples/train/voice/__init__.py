"""Training of the embedded demo voice, from flite's voices to an ONNX file in Kokoro's layout."""
