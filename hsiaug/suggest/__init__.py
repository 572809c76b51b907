"""Where a label would help most: pixels of ground that classifiers disagree on and that is unlike what has a label."""
