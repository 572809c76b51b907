"""Looking at synthetic samples: making them as a trial does, exporting, measuring and drawing
them.
"""
