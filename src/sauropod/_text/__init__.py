"""Text machines. Pure: feed them something, they give back events."""
