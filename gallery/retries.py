"""Pauses between attempts."""

import random

JITTER = 0.5
"""Largest share by which a pause is lengthened."""


def with_jitter(seconds: float) -> float:
    """Return the pause, randomly up to half longer, so that clients that failed together retry apart.

    Never shorter: a server may have asked for the pause.
    """
    return seconds * (1 + random.uniform(0, JITTER))
