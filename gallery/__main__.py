"""`python -m gallery`: the same as the command `gallery`."""

from gallery.cli import main

main(prog_name="gallery")
