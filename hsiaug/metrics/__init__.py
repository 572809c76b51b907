"""Numbers: accuracy of a trial, and whether differences between configurations are significant."""
