"""Vectors of the images."""
