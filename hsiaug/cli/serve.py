"""``hsiaug serve``: the report of a store in a browser, while it grows."""

from hsiaug.base.errors import need
from hsiaug.cli import options
from hsiaug.cli.output import say


def serve(
    folder: options.Folder = None,
    store: options.NamedStore = None,
    port: options.Port = 0,
    no_browser: options.NoBrowser = False,
) -> None:
    """Show the report of a store in a browser, and show it again whenever trials have ended.

    Serves a page at 127.0.0.1, which no other machine reaches; its address holds a secret. It is
    that of 'hsiaug report --out report.html', with how far runs are, and filters of rows that stand
    in the address. Nothing is written.

    Examples:
      hsiaug serve --store hsiaug-results
    """
    need("a page in the browser", "ui", "starlette", "uvicorn")
    from hsiaug.trial.store import Store
    from hsiaug.ui.server import serve_here
    from hsiaug.ui.store_routes import StoreRoutes

    routes = StoreRoutes(Store(options.store_named(folder, store))).routes()
    serve_here(
        routes, port, browser=not no_browser, announce=lambda address: say(f"report at: {address}")
    )
