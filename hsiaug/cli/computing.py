"""What commands begin with that compute with plugins in their own process."""

from hsiaug.base.threads import one_thread


def compute_here() -> None:
    """Let this process compute with plugins as a worker of a benchmark does, so that results are
    the same: with one thread.
    """
    one_thread()
