"""Loaded first by the server that forks workers.

What it loads next does without pandas: scikit-learn imports it, and with it pyarrow where that is
installed, only to know their types. Workers would take 60 MB more and start later.
"""

import gc
import sys

# Of what is loaded nothing is garbage, and to look for some takes a sixth of the time.
gc.disable()
sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
