"""/v1/chat/completions: its bodies as what an engine takes, and what an engine does as chunks and completions."""
