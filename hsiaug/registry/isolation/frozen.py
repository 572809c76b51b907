"""Loaded last by the server that forks workers: leaves all that it has loaded out of garbage
collection, which would write into that memory, and so copy what the workers share. The server
adopts what workers leave behind (:func:`hsiaug.registry.isolation.processes.end_strays`).
"""

import gc
import sys
import warnings

from hsiaug.registry.isolation.processes import adopt_orphans

adopt_orphans()
if "pandas" in sys.modules and sys.modules["pandas"] is None:
    # hsiaug.registry.isolation.unloaded: plugins may import it.
    del sys.modules["pandas"]
# Where one of these ends.
warnings.filterwarnings("ignore", message="forkserver: waitpid returned unexpected pid")
gc.collect()
gc.freeze()
