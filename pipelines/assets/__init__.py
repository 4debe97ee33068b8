"""The assets, thin: each opens what it needs, calls a stage, stores the outcome and says what happened."""
