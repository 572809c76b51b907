"""Pages on this machine alone: labels given in a browser, and the report of a store while it
grows.
"""
