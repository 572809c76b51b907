"""Sound plugins for masks, and others that each break one rule. Each names its rule: the check that
must fail.
"""

import sys

import numpy as np

from hsiaug.api import Card, DenseSamples, PluginError, load_state, save_state
from hsiaug.core.pairs import PairSet
from tests.testing.faults import listing

GENERATORS, CLASSIFIERS = [], []
BOTH = ("segmentation", "change")


faulty = listing(
    lambda plugin: (GENERATORS if issubclass(plugin, Sound) else CLASSIFIERS).append(plugin)
)


def labels_of_the_test_place():
    """Found in the frames of the callers: a back door that no plugin may use."""
    frame = sys._getframe()
    while frame := frame.f_back:
        for value in frame.f_locals.values():
            for data in (value, *(getattr(value, name, None) for name in ("scene", "data"))):
                if isinstance(data, PairSet):
                    return data.places[1].mask
    raise AssertionError("no data to be found")


class Fitted:
    """Real pairs, brighter or darker by a little; those that show a class, where one is asked
    for.
    """

    spread = 0.01

    def __init__(self, images, masks):
        self.images, self.masks = images, masks

    def rows(self, c, n, rng):
        shown = (
            np.flatnonzero((self.masks == c).any(axis=(1, 2)))
            if c is not None
            else np.arange(len(self.masks))
        )
        if not len(shown):
            raise PluginError(f"class {c} needs training pixels", hint="Leave it out.")
        return rng.choice(shown, n)

    def sample(self, counts, *, guidance, seed):
        rng = np.random.default_rng(seed)
        parts = [self.rows(c, n, rng) for c, n in counts.parts()]
        index = np.concatenate([np.empty(0, np.int64), *parts])
        images = self.images[index] * rng.normal(1, self.spread, (len(index), 1, 1, 1, 1))
        return DenseSamples.made(images, self.masks[index], confidence=self.sure(self.masks[index]))

    def sure(self, masks):
        return np.full(masks.shape, 0.9, np.float32)

    def save(self, folder):
        save_state(folder, {"images": self.images, "masks": self.masks})


class Sound:
    card = Card(name="sound", version="1", summary="brighter pairs", tasks=BOTH)
    fitted = Fitted

    def __init__(self, params):
        pass

    def fit(self, view, *, seed, device, progress):
        progress(1, 1, "fit")
        return self.fitted(view.real.images, view.real.masks)

    def load(self, folder, *, device):
        return self.fitted(**load_state(folder)[0])


@faulty("runs")
class OutOfRange(Sound):
    class fitted(Fitted):
        def sample(self, counts, **given):
            made = super().sample(counts, **given)
            return DenseSamples.made(made.images, made.masks + 1)


@faulty("runs")
class OneDateOnly(Sound):
    """Goes well in the first task of its card."""

    def fit(self, view, **given):
        assert view.dates == 1
        return super().fit(view, **given)


@faulty("samples")
class TooSure(Sound):
    class fitted(Fitted):
        def sure(self, masks):
            return np.full(masks.shape, 1.5, np.float32)


@faulty("counts")
class AnyClass(Sound):
    """Gives as many pairs as are asked for, whatever they show."""

    class fitted(Fitted):
        def rows(self, c, n, rng):
            return super().rows(None, n, rng)


@faulty("scene-units")
class Normalised(Sound):
    def fit(self, view, **_):
        images = view.real.images
        return Fitted((images - images.mean()) / images.std(), view.real.masks)


@faulty("labels")
class OneSpectrum(Sound):
    """Its images are of one class, whatever the masks are of."""

    class fitted(Fitted):
        def sample(self, counts, *, guidance, seed):
            made = super().sample(counts, guidance=guidance, seed=seed)
            noise = np.random.default_rng(seed).normal(1, 0.01, made.images.shape)
            mean = self.images.mean(axis=(0, 3, 4), keepdims=True)
            return DenseSamples.made((mean * noise).astype(np.float32), made.masks)


@faulty("no-test-label")
class LooksUp(Sound):
    def fit(self, view, **_):
        share = float((labels_of_the_test_place() == 1).mean())
        return Fitted(view.real.images * np.float32(1 + 1e-3 * share), view.real.masks)


@faulty("hard-data")
class WholeTiles(Sound):
    def fit(self, view, **given):
        assert (view.real.masks > 0).any(axis=(1, 2)).all()
        return super().fit(view, **given)


class SoundMasks:
    """The nearest class mean at each pixel, by the spectra of all dates."""

    card = Card(name="sound", version="1", summary="nearest mean", tasks=BOTH)

    def __init__(self, params):
        pass

    def fit(self, samples, view, *, seed, device, progress):
        progress(1, 1, "fit")
        x, y = self.spectra(samples), samples.masks
        weight = np.broadcast_to(self.heeded(samples.weight)[:, None, None], y.shape)
        self.count = len(view.class_names)
        self.ids = np.unique(y[(y > 0) & (weight > 0)])
        self.means = np.stack(
            [np.average(x[y == c], axis=0, weights=weight[y == c]) for c in self.ids]
        )
        return self

    def heeded(self, weight):
        return weight

    def spectra(self, tiles):
        dates = tiles.images.shape[1]
        x = tiles.images.transpose(0, 3, 4, 1, 2)
        # What differs between the dates, where there are two.
        return np.abs(x[..., 1, :] - x[..., 0, :]) if dates == 2 else x[..., 0, :]

    def shares(self, tiles):
        far = ((self.spectra(tiles)[..., None, :] - self.means) ** 2).mean(axis=-1)
        near = 1 / (far + 1e-3)
        return near / near.sum(axis=-1, keepdims=True)

    def predict(self, tiles):
        return self.ids[self.shares(tiles).argmax(axis=-1)]

    def predict_proba(self, tiles):
        shares = np.zeros((len(tiles), self.count, *tiles.side), np.float32)
        shares[:, self.ids - 1] = self.shares(tiles).transpose(0, 3, 1, 2)
        return shares


class SoundChange(SoundMasks):
    card = Card(name="sound", version="1", summary="nearest mean of differences", tasks=("change",))


@faulty("runs")
class NamesNothing(SoundMasks):
    """0 is no class."""

    def predict(self, tiles):
        labels = super().predict(tiles)
        labels[:, 0, 0] = 0
        return labels


@faulty("learns")
class OneClass(SoundMasks):
    def shares(self, tiles):
        shares = super().shares(tiles)
        return np.where(np.arange(len(self.ids)) == 0, 1.0, 0.0) * np.ones_like(shares)


@faulty("weights")
class Unweighted(SoundMasks):
    def heeded(self, weight):
        return np.ones_like(weight)


@faulty("no-test-label")
class LooksUpMasks(SoundMasks):
    def fit(self, samples, view, **given):
        super().fit(samples, view, **given)
        self.means = self.means + 1e-3 * (labels_of_the_test_place() == 1).mean()
        return self
