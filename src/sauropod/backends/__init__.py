"""The backends that come with sauropod. They register through entry points, as anyone's do."""
