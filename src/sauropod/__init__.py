"""Listens, thinks and speaks on your own machine."""
