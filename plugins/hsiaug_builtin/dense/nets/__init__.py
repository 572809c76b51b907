"""The networks of the segmenters, as torch modules."""
