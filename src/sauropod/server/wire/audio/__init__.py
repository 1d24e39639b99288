"""The audio APIs' words: what is to be said, and what was heard."""
