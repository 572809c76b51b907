"""Which third-party plugins have a part in a trial: they may leave traces in a process."""

from collections.abc import Mapping
from typing import Any

from hsiaug.registry.importing import OWN
from hsiaug.registry.lookup import Found, registry
from hsiaug.trial.spec import TrialSpec


def third_party_parts(spec: TrialSpec) -> frozenset[tuple[str, str]]:
    """Parts of a trial whose traces in a process trials without these parts must not see.

    Parameters
    ----------
    spec : TrialSpec
        Its generator, classifier and protocol are looked at.

    Returns
    -------
    frozenset of (str, str)
        Kind and name of each plugin that does not come with hsiaug; where there is one, also
        ``("draw", hash)``: such a plugin may keep the labels of the draw.
    """
    plugins: Mapping[Any, Found] = registry().plugins
    named = {(kind, plugin.name.partition(":")[0]) for kind, plugin in spec.plugins}
    # A protocol may build on others, which are named in its argument, beside numbers.
    protocols = {("protocol", name) for name in spec.protocol.text.split(":")} & plugins.keys()
    parts = {key for key in named | protocols if not _is_builtin(plugins.get(key))}
    return frozenset({*parts, ("draw", spec.draw_hash)} if parts else ())


def _is_builtin(plugin: Found | None) -> bool:
    return plugin is not None and plugin.distribution == OWN
