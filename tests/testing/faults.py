"""Faults that plugins of several kinds have alike, and how a faulty plugin is listed under the rule
that it breaks.
"""

import os


def listing(add):
    """The decorator ``faulty(rule)``, which hands each plugin, under its rule, to ``add``."""

    def faulty(rule):
        def keep(plugin):
            plugin.rule = rule
            add(plugin)
            return plugin

        return keep

    return faulty


class Unseeded:
    """Something fitted whose samples do not follow from the seed."""

    def sample(self, counts, *, guidance, seed):
        return super().sample(counts, guidance=guidance, seed=int.from_bytes(os.urandom(3), "big"))


class StepsBySamples:
    """A classifier that makes a step of an optimiser for each sample."""

    def fit(self, samples, view, *, device, **given):
        import torch

        optimiser = torch.optim.SGD([torch.zeros(1, device=device, requires_grad=True)], lr=0.1)
        for _ in range(len(samples)):
            optimiser.step()
        return super().fit(samples, view, device=device, **given)


class NeedsThreeOfEach:
    """A classifier that cannot do with two samples of a class."""

    def fit(self, samples, view, **given):
        assert min(view.counts.values()) >= 3
        return super().fit(samples, view, **given)
