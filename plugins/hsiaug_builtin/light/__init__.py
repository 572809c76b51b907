"""Generators without a network: ``relight``, with the illumination of a clear sky, and
``statistics``.
"""

from hsiaug_builtin import listing

hsiaug_plugins = listing(
    "generator",
    {
        "relight": "light.relight:Relight",
        "statistics": "light.statistics:Statistics",
        "statistics-labelled": "light.statistics:StatisticsOfLabels",
    },
)
