"""Pairs made of the training pairs themselves: components cut from one tile and set into
another.
"""

from hsiaug_builtin import listing

hsiaug_plugins = listing("generator", {"paste": "pairs.paste:Paste"})
