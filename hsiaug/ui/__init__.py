"""Pages on this machine alone: labels given in a browser, and the report of a store while it grows."""

from importlib.util import find_spec

from hsiaug.base.errors import DataUnavailableError, install


def need_ui() -> None:
    """Raise DataUnavailableError, with the command that mends it, where Starlette or uvicorn is not installed."""
    if not (find_spec("starlette") and find_spec("uvicorn")):
        raise DataUnavailableError(
            "a page in the browser needs Starlette and uvicorn",
            value="not installed",
            hint=f"{install('ui', 'starlette', 'uvicorn')}.",
        )
