"""How a faulty plugin is listed under the rule that it breaks."""


def listing(add):
    """The decorator ``faulty(rule)``, which hands each plugin, under its rule, to ``add``."""

    def faulty(rule):
        def keep(plugin):
            plugin.rule = rule
            add(plugin)
            return plugin

        return keep

    return faulty
