"""The process that paints what standard input asks for, one sitting a line, until it closes."""

from __future__ import annotations

import sys

from gallery.datasets.painter.picture import LENGTH, Sitting


def main() -> None:
    for line in sys.stdin:
        for jpeg in Sitting(*map(int, line.split())).paint():
            sys.stdout.buffer.write(LENGTH.pack(len(jpeg)) + jpeg)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
