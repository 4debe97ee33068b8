"""Definitions by topic: assets, their checks, and the functions behind them."""
