"""Effects of light on a spectrum: the illumination of a clear sky, and the generator
``relight``.
"""

from hsiaug_builtin import listing

hsiaug_plugins = listing("generator", {"relight": "light.relight:Relight"})
