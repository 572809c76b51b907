"""Third-party plugins, in processes of their own: what these processes may read and change, what is
asked of them, and that they end with the run.

A module of another package may replace functions of numpy, end its process or never return. So the
process of a command imports none. One process for each package (:mod:`.package`,
:mod:`.package_process`) says what its plugins are, and parses and draws for its protocols; workers
(:mod:`hsiaug.bench.worker`) fit and predict. Nothing that they answer is unpickled.

:mod:`.processes` starts and ends all of them, :mod:`.calls` calls functions in them, and
:mod:`.messages` checks what these return. :mod:`.landlock` restricts what a process may read.
"""
