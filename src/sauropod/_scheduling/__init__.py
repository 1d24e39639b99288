"""What decides which tokens are computed next. Pure: no await, no thread, no clock read, no backend import."""
