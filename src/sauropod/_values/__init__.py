"""Values that cross every boundary: frozen, picklable, nothing but attrs and the standard library."""
