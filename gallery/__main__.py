"""Run the `gallery` command with `python -m gallery`."""

from gallery.cli import main

main(prog_name="gallery")
