"""The worker process: paints the batches given on standard input, one per line, until it closes."""

from __future__ import annotations

import sys

from sample_art.image import LENGTH, Batch


def main() -> None:
    for line in sys.stdin:
        for jpeg in Batch(*map(int, line.split())).paint():
            sys.stdout.buffer.write(LENGTH.pack(len(jpeg)) + jpeg)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
