"""Fake services, sample data, and helpers shared by tests."""
