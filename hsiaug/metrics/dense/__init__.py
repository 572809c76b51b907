"""Numbers about labelled tiles: are made ones like the real ones, and do their masks fit their
images?
"""
