"""English: text as it is said, in the symbols Kokoro was trained with."""
