"""Numbers: accuracy of a trial, and whether differences between arms are significant."""
