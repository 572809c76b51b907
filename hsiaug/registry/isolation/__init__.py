"""Third-party plugins, in processes of their own: what these processes may read and change, what is
asked of them, and that they end with the run.

A module of another package may replace functions of numpy, end its process or never return. So the
process of ``benchmark`` imports none but a protocol that it is told to draw with. A process of its
own (:mod:`.packages`) says what plugins are; workers (:mod:`hsiaug.bench.worker`) fit and predict.
Nothing that they answer is unpickled.

:mod:`.processes` starts and ends all of them; :mod:`.confinement` restricts what they may do.
"""
