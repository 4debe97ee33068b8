"""The commands `gallery serve` and `gallery demo`."""

from __future__ import annotations

import click

MAX_WARM_UP_S = 120.0
"""Maximum time that a process waits for its encoder before it accepts from a socket that was handed over.
After it, searches get a 503. A start on a busy machine was measured to take 60 s."""


@click.command()
@click.option("--host", help="Address to listen on.  [default: GALLERY_HOST, else 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: GALLERY_PORT, else 8000]"
)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    help="Requests handled at the same time.  [default: GALLERY_THREADS, else 16]",
)
def serve(host: str | None, port: int | None, threads: int | None) -> None:
    """Serve the search pages until Ctrl-C.

    Before a collection is built, the pages show how to build one. New collections appear without a restart.
    If systemd hands over a listening socket, it replaces host and port, once the encoder is loaded.
    """
    import logging
    import os
    import sys

    from gallery.cli import report_errors
    from gallery.logs import configure
    from gallery.settings import read_settings

    given = {"host": host, "port": port, "threads": threads}
    with report_errors():
        settings = read_settings(**{name: value for name, value in given.items() if value is not None})
        from serving.server import limit_heaps, listen, serve_app
        from serving.systemd import inherited_listener

        limit_heaps()
        inherited = inherited_listener()
        # First, so that a port in use fails at once.
        with inherited or listen(settings.host, settings.port) as listener:
            configure(settings.log_level)
            from serving.app import create_app
            from serving.context import EXTENSION

            app = create_app(settings)
            warmup = app.extensions[EXTENSION].warmup
            code = 0
            try:
                warmup.start()
                if inherited:  # another process may still answer
                    warmup.wait(MAX_WARM_UP_S)
                where = address(
                    *(listener.getsockname()[:2] if inherited else (settings.host, settings.port))
                )
                click.echo(f"Serving the gallery at {where} (press Ctrl-C to stop)", err=True)
                serve_app(app, listener, settings, shared=inherited is not None)
            except KeyboardInterrupt:
                click.echo("Interrupted.", err=True)
                code = 130
            # Python's own exit would abort the process if a thread is in the C++ code of torch.
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port of the search page.  [default: GALLERY_PORT, else 8000]",
)
@click.option("--no-serve", is_flag=True, help="Build the collection without serving it.")
@click.pass_context
def demo(ctx: click.Context, port: int | None, no_serve: bool) -> None:
    """Build the collection and serve its search pages until Ctrl-C.

    The pages are served from the start, and show the collection once it is complete.
    """
    from gallery.cli import main, report_errors
    from gallery.installation import install_command
    from gallery.settings import read_settings

    with report_errors():
        settings = read_settings(**({"port": port} if port else {}))
        if not no_serve:
            from serving.server import listen

            listen(settings.host, settings.port).close()  # a port in use fails before the images are encoded
    refresh = main.get_command(ctx, "refresh")
    if refresh is None:
        raise click.ClickException(
            f"`gallery refresh` is not installed; run {install_command('pipeline,encoders')}"
        )
    if no_serve:
        ctx.invoke(refresh)
    else:
        from serving.demo import serve_and_refresh

        ctx.exit(serve_and_refresh(settings.port, address(settings.host, settings.port)))


def address(host: str, port: int) -> str:
    """Return the URL to open in a browser on this machine. A wildcard host becomes localhost."""
    shown = "localhost" if host in ("", "0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"
