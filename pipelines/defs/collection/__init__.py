"""Builds of the collection, and which one is live."""
