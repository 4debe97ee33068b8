"""Views: one module per group of pages, and one each for images and health checks."""
