"""What speech needs that is no model."""
