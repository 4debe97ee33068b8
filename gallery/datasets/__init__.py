"""Datasets: where the images come from."""
