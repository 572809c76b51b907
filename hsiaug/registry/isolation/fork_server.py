"""Loaded first by the server that forks workers, which adopts what workers leave behind
(:func:`hsiaug.registry.isolation.processes.end_strays`).

What it loads next does without pandas: scikit-learn imports it, and with it pyarrow where that is
installed, only to know their types. Workers would take 60 MB more and start later.
"""

import gc
import os
import sys
import warnings

from hsiaug.registry.isolation.processes import adopt_orphans, end_as_parent_ends

# Of what is loaded nothing is garbage, and to look for some takes a sixth of the time.
gc.disable()
sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
adopt_orphans()
# It looks for the end of the command only once all is loaded, and forks after that.
end_as_parent_ends(True)
os.register_at_fork(before=lambda: end_as_parent_ends(False))
# Said where a worker ends.
warnings.filterwarnings("ignore", message="forkserver: waitpid returned unexpected pid")
