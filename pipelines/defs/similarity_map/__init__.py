"""The map of the collection."""
