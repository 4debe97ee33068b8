"""What the assets do, as plain functions that know nothing of Dagster."""
