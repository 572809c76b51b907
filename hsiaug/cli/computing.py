"""What commands begin with that compute with plugins in their own process."""

from hsiaug.base.threads import one_thread
from hsiaug.registry.lookup import import_here


def compute_here() -> None:
    """Let this process compute with plugins as a worker of a benchmark does, so that results are
    the same: with one thread, and with the packages of others imported here.
    """
    one_thread()
    import_here()
