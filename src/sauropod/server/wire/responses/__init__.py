"""The Responses API: what is asked, what is answered, and in which order it is told."""
