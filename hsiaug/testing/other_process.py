"""The checksum of the result of a plugin, which a check compares with that of its own process:

python -m hsiaug.testing.other_process KIND MODULE:CLASS
"""

import importlib
import sys
from operator import attrgetter

from hsiaug.testing import kit
from hsiaug.testing.shared_checks import checksum

if __name__ == "__main__":
    kind, name = sys.argv[1:]
    module, _, target = name.partition(":")
    plugin = attrgetter(target)(importlib.import_module(module))
    subject = kit(kind, plugin).subject  # type: ignore[arg-type]
    sys.stdout.write(f"{checksum(subject.base_result)}\n")  # type: ignore[attr-defined]
