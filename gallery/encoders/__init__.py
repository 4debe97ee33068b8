"""Encoders: images and texts as vectors."""
