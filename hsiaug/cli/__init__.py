"""The ``hsiaug`` command: one module per command, heavy imports inside the functions."""
