"""The catalogue: artists, files and the sample."""
