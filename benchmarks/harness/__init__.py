"""What the benchmarks share: the sides that are compared, how they are asked, what was measured and on what."""
