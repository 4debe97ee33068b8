"""The views: one module for each group of pages, and one for the images."""
