"""The plugin contract, the cards that declare what a plugin can do, and the registry that finds
plugins.
"""
