"""`gallery serve`: the search pages on a port of this machine."""

from __future__ import annotations

import click


@click.command()
@click.option("--host", help="Address to listen on.  [default: GALLERY_HOST, else 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: GALLERY_PORT, else 8000]"
)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    help="Requests answered at once.  [default: GALLERY_THREADS, else 16]",
)
def serve(host: str | None, port: int | None, threads: int | None) -> None:
    """Serve the search pages until Ctrl-C.

    The page says so while there is no collection yet; `gallery refresh` builds one, and it appears without a restart.
    """
    from gallery.cli import errors_said
    from gallery.logs import configure
    from gallery.settings import read_settings

    given = {"host": host, "port": port, "threads": threads}
    with errors_said():
        settings = read_settings(**{name: value for name, value in given.items() if value is not None})
        check_free(settings.host, settings.port)
        configure(settings.log_level)
        from gallery.services import Services
        from serving.delivery import Delivery
        from serving.server import Server

        Delivery(settings, Services(settings))  # better said now than by a worker that cannot start
        Server(
            settings, f"The gallery is open at {address(settings.host, settings.port)} (Ctrl-C closes it)"
        ).run()


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port of the search page.  [default: GALLERY_PORT, else 8000]",
)
@click.option("--no-serve", is_flag=True, help="Build the collection, and stop there.")
@click.pass_context
def demo(ctx: click.Context, port: int | None, no_serve: bool) -> None:
    """Build the collection and serve its search pages: `refresh`, then `serve`."""
    import os
    import sys

    from gallery.cli import errors_said, main
    from gallery.settings import read_settings

    with errors_said():
        settings = read_settings(**({"port": port} if port else {}))
        if not no_serve:
            check_free(settings.host, settings.port)  # better said now than after the pictures are encoded
    refresh = main.get_command(ctx, "refresh")
    if refresh is None:
        raise click.ClickException(
            "`gallery refresh` is not installed; pip install 'artwork-gallery[pipeline,encoders]'"
        )
    ctx.invoke(refresh)
    if not no_serve:
        # A new process: the threads that the refresh left behind would not survive the server's fork.
        sys.stdout.flush()
        command = [sys.executable, "-m", "gallery", "serve", "--port", str(settings.port)]
        os.execv(sys.executable, command)


def address(host: str, port: int) -> str:
    """What to open in a browser on this machine: a wildcard host is reached as localhost."""
    shown = "localhost" if host in ("", "0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def check_free(host: str, port: int) -> None:
    """Raises Invalid with what to do where the port cannot be listened on."""
    import errno
    import socket

    from gallery.errors import Invalid

    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As gunicorn will: a port whose last connections are still closing down is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen(1)
    except socket.gaierror as error:
        raise Invalid(
            f"{host!r} is no address to listen on; set GALLERY_HOST or give --host 127.0.0.1"
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem = f"port {port} is taken by another program"
        else:
            problem = f"cannot listen on {host} port {port} ({error.strerror})"
        raise Invalid(f"{problem}; set GALLERY_PORT or give --port {port % 65535 + 1}") from error
