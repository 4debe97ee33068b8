"""Import what every step needs, once, in the fork server of the multiprocess executor.

Opening the instance imports the classes of its storage, which Dagster would otherwise do in every step.
"""

import contextlib
import os
import tempfile

import dagster as dg

import pipelines.definitions  # noqa: F401


def open_instance_once() -> None:
    """Open and close the instance of DAGSTER_HOME, or one with Dagster's default storage."""
    if os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.get():
            return
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.local_temp(folder):
        return


with contextlib.suppress(Exception):  # without it, steps start more slowly; they report what is wrong
    open_instance_once()
