"""The Dagster code location: assets that turn a dataset into a live, searchable collection."""
