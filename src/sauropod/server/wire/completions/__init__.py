"""/v1/completions: its bodies as what an engine takes, and what an engine does as completions."""
