"""``hsiaug serve``: the report of a store in a browser, while it grows."""

from pathlib import Path

from hsiaug.base.errors import need
from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.output import say


def serve(store: options.StoreDir = Path(defaults.STORE), port: options.Port = None) -> None:
    """Show the report of a store in a browser while trials run.

    Examples:
      hsiaug serve
      hsiaug serve --store my-results --port 8080

    The page is that of 'hsiaug report --out report.html', with the progress of runs and filters. It
    is at 127.0.0.1, not reachable from other machines, and its address contains a secret. Nothing
    is written.
    """
    need("a page in the browser", "ui", "starlette", "uvicorn")
    from hsiaug.trial.store import Store
    from hsiaug.ui.server import serve_here
    from hsiaug.ui.store_routes import StoreRoutes

    serve_here(
        StoreRoutes(Store(store)).routes(),
        port or 0,
        browser=port is None,
        announce=lambda address: say(f"report at: {address}"),
    )
