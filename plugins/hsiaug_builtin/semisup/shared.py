"""A check of the samples of semi-supervised classifiers."""

from __future__ import annotations

from hsiaug.api import PatchSamples, PluginError, TrainView


def usable_samples(samples: PatchSamples, view: TrainView, name: str) -> PatchSamples:
    """The samples that have weight. A sample of weight 0 is no sample: it must not even name a
    class.

    Raises PluginError where none has weight, or where ``view`` shows no unlabelled pixel: without
    these the method would be a supervised one under another name.
    """
    weighty = samples.take(samples.weight > 0)
    if not len(weighty):
        raise PluginError(
            f"classifier {name} needs samples of positive weight",
            value=f"{len(samples)} samples, none of positive weight",
            hint="Give it the training pixels.",
        )
    if not len(view.unlabelled):
        raise PluginError(
            f"classifier {name} learns from unlabelled pixels and needs some",
            value=f"a view of scope '{view.scope}' with {len(view.unlabelled)} of them",
            hint=(
                "Give it a view of scope 'scene', as its card declares, or use a supervised"
                " classifier."
            ),
        )
    return weighty
