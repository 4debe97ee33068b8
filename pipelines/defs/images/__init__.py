"""Originals and thumbnails in the image store."""
