"""A sound generator, and others that each break one rule. Each names its rule: the check that must
fail.
"""

import itertools
import os
import pickle
import sys
from dataclasses import dataclass

import numpy as np

from hsiaug.api import Card, PatchSamples, PluginError, load_state, param, save_state
from hsiaug.core.scene import Scene
from tests.testing.faults import listing

FAULTY = []
CALLS = itertools.count(2)


@dataclass(frozen=True)
class Params:
    level: float = param(0.01, "noise, as a share of each value", low=0)


class Fitted:
    """Real patches with a little noise."""

    def __init__(self, x, y, level):
        self.x, self.y, self.level = x, y, level

    def sample(self, counts, *, guidance, seed):
        rng = np.random.default_rng(seed)
        for c, n in counts.items():
            if n and not (self.y == c).any():
                raise PluginError(f"class {c} needs training pixels", hint="Leave it out.")
        parts = [rng.choice(np.flatnonzero(self.y == c), n) for c, n in counts.items() if n]
        index = np.concatenate([np.empty(0, np.int64), *parts])
        noise = rng.normal(1, self.level, (len(index), *self.x.shape[1:]))
        return PatchSamples.made(self.x[index] * noise, self.y[index], {"level": self.level})

    def save(self, folder):
        save_state(folder, {"x": self.x, "y": self.y}, {"level": self.level})


class Sound:
    card = Card(name="sound", version="1", summary="noise", params=Params)
    fitted = Fitted

    def __init__(self, params):
        self.params = params

    def fit(self, view, *, seed, device, progress):
        progress(1, 1, "fit")
        return self.fitted(view.real.x, view.real.y, self.params.level)

    def load(self, folder, *, device):
        arrays, facts = load_state(folder)
        return self.fitted(**arrays, **facts)


class Adds(Sound):
    """A control that adds nothing, and says so."""

    card = Card(name="nothing", version="1", summary="nothing", adds=False)

    class fitted(Fitted):
        def sample(self, counts, **given):
            return super().sample({}, **given)

    def __init__(self, params):
        self.params = Params()


class State:
    """The mean spectrum of the visible pixels."""

    def __init__(self, **arrays):
        self.arrays = arrays

    def save(self, folder):
        save_state(folder, self.arrays)


class Prepares(Sound):
    """Brings what it learns of the scene into the noise of its samples."""

    card = Card(
        name="prepares",
        version="1",
        summary="prepares",
        params=Params,
        scope="scene",
        prepares=True,
    )

    def prepare(self, view, *, seed, device, progress):
        progress(1, 1)
        return State(mean=view.cube[view.visible].mean(axis=0))

    def load_prepared(self, folder, *, device):
        return State(**load_state(folder)[0])

    def fit(self, view, *, seed, device, progress, prepared):
        progress(1, 1)
        return self.fitted(view.real.x, view.real.y, float(prepared.arrays["mean"][0]) * 1e-6)


faulty = listing(FAULTY.append)


def sampling(rule, name, sample):
    """A generator that is sound but for the method ``sample`` of what it fits."""
    return faulty(rule)(
        type(name, (Sound,), {"fitted": type("fitted", (Fitted,), {"sample": sample})})
    )


def asking(rule, name, other):
    """One that makes samples of other counts: those of ``other(counts, y)``, y being the labels
    that it learnt.
    """
    sampling(
        rule,
        name,
        lambda self, counts, **given: Fitted.sample(self, other(counts, self.y), **given),
    )


asking("runs", "HalfOfThem", lambda counts, y: {c: n // 2 for c, n in counts.items()})
asking("counts", "FewAtMost", lambda counts, y: {c: min(n, 20) for c, n in counts.items()})
asking(
    "untrained-class",
    "SkipsUntrained",
    lambda counts, y: {c: n for c, n in counts.items() if c in y},
)
sampling(
    "determinism",
    "DrawsGlobally",
    lambda self, counts, **given: Fitted.sample(
        self, counts, **{**given, "seed": np.random.randint(2**30)}
    ),
)
IgnoresSeed = sampling(
    "seed",
    "IgnoresSeed",
    lambda self, counts, **given: Fitted.sample(self, counts, **{**given, "seed": 0}),
)


@faulty("card")
class WithoutSummary(Sound):
    card = Card(name="a", version="1", summary="", params=Params)


@dataclass
class Loose:
    level: float = 0.01


@faulty("card")
class LooseParams(Sound):
    card = Card(name="a", version="1", summary="params that can change", params=Loose)


@faulty("card")
class WrongPreset(Sound):
    card = Card(
        name="a", version="1", summary="out of range", params=Params, presets={"own": {"level": -1}}
    )


@faulty("runs")
class WithoutFit(Sound):
    fit = None


@faulty("untrained-class")
class StumblesOnUntrained(Sound):
    class fitted(Fitted):
        def sample(self, counts, **given):
            _ = [{int(c): 0 for c in self.y}[c] for c, n in counts.items() if n]
            return super().sample(counts, **given)


@faulty("scene-units")
class Normalised(Sound):
    def fit(self, view, **_):
        return Fitted(view.normaliser.patches(view.real.x), view.real.y, 0.01)


@faulty("scene-units")
class Infinite(Sound):
    """Only for the counts of that check: in a trial the runner would see it."""

    class fitted(Fitted):
        def sample(self, counts, **given):
            made = super().sample(counts, **given)
            if counts.get(1) == 6 and 2 in counts and 4 in counts:
                made.x[0] = -np.inf
            return made


@faulty("labels")
class DealtOut(Sound):
    """As many labels of each class as were asked for, on any samples."""

    class fitted(Fitted):
        def sample(self, counts, *, guidance, seed):
            made = super().sample(counts, guidance=guidance, seed=seed)
            return PatchSamples.made(made.x, np.random.default_rng(seed).permutation(made.y))


@faulty("determinism")
class Unseeded(Sound):
    class fitted(Fitted):
        def sample(self, counts, **given):
            seed = int.from_bytes(os.urandom(3), "big")
            return super().sample(counts, **{**given, "seed": seed})


@faulty("guidance")
class IgnoresGuidance(Sound):
    card = Card(name="a", version="1", summary="says it is guided", params=Params, guidance=1.0)


@faulty("save-and-load")
class Pickles(Sound):
    class fitted(Fitted):
        def save(self, folder):
            (folder / "state.json").write_bytes(pickle.dumps(self.__dict__))

    def load(self, folder, **_):
        return self.fitted(**pickle.loads((folder / "state.json").read_bytes()))


@faulty("save-and-load")
class Forgets(Sound):
    def load(self, folder, **_):
        return self.fitted(**load_state(folder)[0], level=0.02)


@faulty("no-test-label")
class LooksUp(Sound):
    """Finds the scene in the frames of its callers, and lets its labels decide."""

    def fit(self, view, **_):
        frame = sys._getframe()
        scenes = []
        while frame := frame.f_back:
            for value in frame.f_locals.values():
                scenes += [s for s in (value, getattr(value, "data", None)) if isinstance(s, Scene)]
        return Fitted(
            view.real.x, view.real.y, 0.01 + 1e-6 * float((scenes[0].labels[:, -1] == 1).mean())
        )


@faulty("hard-data")
class NeedsThree(Sound):
    def fit(self, view, **given):
        assert min(view.counts.values()) >= 3
        return super().fit(view, **given)


@faulty("hard-data")
class Divides(Sound):
    def fit(self, view, **_):
        x = view.real.x
        with np.errstate(all="ignore"):
            spread = view.cube[view.visible].std(axis=0)[:, None, None]
            return Fitted(x / spread * spread, view.real.y, 0.01)


@faulty("hard-data")
class NeedsWavelengths(Sound):
    def fit(self, view, **given):
        _ = view.wavelengths[0]
        return super().fit(view, **given)


@faulty("resumes")
class StartsElsewhere(Sound):
    """Goes on from what it finds, and ends otherwise."""

    card = Card(name="a", version="1", summary="resumes", params=Params, resumes=True)

    def fit(self, view, *, progress, checkpoint=None, **given):
        found = checkpoint is not None and checkpoint.is_dir()
        if checkpoint is not None:
            checkpoint.mkdir(exist_ok=True)
        progress(1, 1)
        return Fitted(view.real.x, view.real.y, 0.02 if found else 0.01)


@faulty("preparation")
class UnseededState(Prepares):
    def prepare(self, view, **given):
        return State(
            **super().prepare(view, **given).arrays, more=np.frombuffer(os.urandom(4), np.uint8)
        )


@faulty("preparation")
class TrainsOnTheState(Prepares):
    def fit(self, view, *, prepared, **given):
        made = super().fit(view, prepared=prepared, **given)
        prepared.arrays["more"] = np.arange(3)
        return made


@faulty("preparation")
class LoadsAnother(Prepares):
    def load_prepared(self, folder, *, device):
        return State(mean=load_state(folder)[0]["mean"] * 2)


@faulty("no-test-label")
class ReadsText(Sound):
    def fit(self, view, **given):
        words = len(" ".join(view.descriptions.get("Meadow", ())))
        return self.fitted(view.real.x, view.real.y, 0.01 + 1e-6 * words)


@faulty("runs")
class InPlace(Sound):
    def fit(self, view, **given):
        view.real.x[:] = np.round(view.real.x)
        return super().fit(view, **given)


def exchanged(self, counts, *, guidance, seed):
    """Samples of class 1 are called 2, and those of class 2 are called 1."""
    drawn = Fitted.sample(self, counts, guidance=guidance, seed=seed)
    other = {1: 2, 2: 1}
    ids = np.array([other.get(c, c) for c in drawn.y.tolist()], dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    asked = np.argsort(drawn.y, kind="stable")
    x = np.empty_like(drawn.x)
    counted = {c: n for c, n in counts.items() if n}
    if counted.get(1, 0) != counted.get(2, 0):
        return drawn
    x[asked] = drawn.x[order]
    return PatchSamples.made(x, drawn.y, {})


sampling("labels", "ExchangesTwoClasses", exchanged)


def hashed(self, counts, *, guidance, seed):
    """Noise whose seed hangs on the hash of a text."""
    drawn = Fitted.sample(self, counts, guidance=guidance, seed=seed)
    noise = np.random.default_rng(hash("noise") % 2**32).normal(1, 0.01, drawn.x.shape)
    return PatchSamples.made(drawn.x * noise, drawn.y, {})


HASHED = sampling("hash-seed", "DependsOnTheHashSeed", hashed)
DependsOnTheHashSeed = HASHED
