"""Loaded last by the server that forks workers: leaves all that it has loaded out of garbage collection, which would
write into that memory, and so copy what the workers share."""

import gc

gc.collect()
gc.freeze()
