"""The process whose texts have other hashes: for each line of JSON with the ``kind`` and ``name``
(module:Class) of a plugin, and the ``path`` of modules, it prints one with the ``checksum`` of the
plugin's result, or the ``error``.

python -m hsiaug.testing.other_process
"""

import importlib
import json
import sys

from hsiaug.testing import subject_of
from hsiaug.testing.shared_checks import checksum

if __name__ == "__main__":
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        asked = json.loads(line)
        sys.path = asked["path"]
        module, _, target = asked["name"].partition(":")
        try:
            plugin = getattr(importlib.import_module(module), target)
            answer = {"checksum": checksum(subject_of(asked["kind"], plugin).result)}
        except BaseException as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
