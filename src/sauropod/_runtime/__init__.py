"""What acts: worker processes, the links to them, and finding models on disk and on a hub."""
