"""Loaded first by the server that forks workers: what it loads next does without pandas.

scikit-learn imports pandas, and with it pyarrow where that is installed, only to know their types.
Workers need neither, and would take 60 MB more and start later.
"""

import sys

sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
