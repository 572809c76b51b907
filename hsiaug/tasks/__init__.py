"""The tasks: single pixels, and masks of one date or two; a module for each of their jobs."""
