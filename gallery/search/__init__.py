"""Search: the query type, the engine, and the calibration of scores."""
