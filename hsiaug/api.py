"""Everything a plugin author imports; nothing else of hsiaug is public.

A whole generator::

    from dataclasses import dataclass
    import numpy as np
    from hsiaug.api import Card, Entry, PatchSamples, Plugin, hookimpl, load_state, param, save_state

    @dataclass(frozen=True)
    class Params:
        gain: float = param(0.02, "standard deviation of the gain", low=0)

    class Fitted:
        def __init__(self, x, y, gain):
            self.x, self.y, self.gain = x, y, gain

        def sample(self, counts, *, guidance, seed):
            rng = np.random.default_rng(seed)
            parts = [(c, rng.choice(np.flatnonzero(self.y == c), size=n)) for c, n in counts.items()]
            index = np.concatenate([i for _, i in parts])
            gain = rng.normal(1, self.gain, size=(len(index), 1, 1, 1))
            return PatchSamples.made(self.x[index] * gain, self.y[index])

        def save(self, folder):
            save_state(folder, {"x": self.x, "y": self.y}, {"gain": self.gain})

    class Gain(Plugin):
        card = Card(name="gain", version="1", summary="Real patches with a random gain", params=Params)

        def fit(self, view, *, seed, device, progress):
            return Fitted(view.real.x, view.real.y, self.params.gain)

        def load(self, folder, *, device):
            arrays, facts = load_state(folder)
            return Fitted(**arrays, **facts)

    @hookimpl
    def hsiaug_plugins():
        return [Entry("generator", "gain", "my_package:Gain")]

and in its ``pyproject.toml``::

    [project.entry-points.hsiaug]
    my_package = "my_package"
"""

from hsiaug.base.errors import DataUnavailableError, InputError, PluginError, SplitError, did_you_mean
from hsiaug.base.seeds import derive_seed
from hsiaug.base.text import text_of_spreadsheet
from hsiaug.contracts import (
    Attention,
    Classifier,
    FittedClassifier,
    FittedGenerator,
    FittedMaskClassifier,
    FittedPairGenerator,
    Generator,
    MaskClassifier,
    PairGenerator,
    Prepared,
    Progress,
)
from hsiaug.core.fields import dilate, seen_fields
from hsiaug.core.pairs import PairSet
from hsiaug.core.samples import Patches, PatchSamples, take_in_turn
from hsiaug.core.scene import Scene
from hsiaug.core.segments import find_segments
from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.tiles import DenseSamples, DenseView, PairCounts, Tiles
from hsiaug.data.labels import check_whole
from hsiaug.data.paths import user_file
from hsiaug.data.readers import read_maps
from hsiaug.metrics.neighbours import prdc
from hsiaug.metrics.patch_distances import PatchReference, PatchSpace, block_means, block_side, nearest_patches
from hsiaug.metrics.significance import told_apart
from hsiaug.protocol.based import Based, takeable
from hsiaug.protocol.protocols import KEPT_FOR_TEST, draw_train, parse_base, parse_protocol
from hsiaug.protocol.split_protocol import Areas, Buffer, Draw, SplitProtocol
from hsiaug.protocol.tiling import draw_tiles, fits, train_tiles
from hsiaug.protocol.view import Normaliser, TrainView, patches_at, train_view_seen
from hsiaug.registry.card import Card, NoParams, Plugin, defaults, param, resampled
from hsiaug.registry.hookspecs import Entry, hookimpl
from hsiaug.registry.lookup import load_plugin
from hsiaug.registry.state import load_state, save_state
from hsiaug.tasks.view_choice import choose_view, spatial_folds

__all__ = [
    "KEPT_FOR_TEST",
    "Areas",
    "Attention",
    "Based",
    "Buffer",
    "Card",
    "Classifier",
    "DataUnavailableError",
    "DenseSamples",
    "DenseView",
    "Draw",
    "Entry",
    "FittedClassifier",
    "FittedGenerator",
    "FittedMaskClassifier",
    "FittedPairGenerator",
    "Generator",
    "InputError",
    "MaskClassifier",
    "NoParams",
    "Normaliser",
    "PairCounts",
    "PairGenerator",
    "PairSet",
    "PatchReference",
    "PatchSamples",
    "PatchSpace",
    "Patches",
    "Plugin",
    "PluginError",
    "Prepared",
    "Progress",
    "Scene",
    "SpectralView",
    "SplitError",
    "SplitProtocol",
    "Tiles",
    "TrainView",
    "block_means",
    "block_side",
    "check_whole",
    "choose_view",
    "defaults",
    "derive_seed",
    "did_you_mean",
    "dilate",
    "draw_tiles",
    "draw_train",
    "find_segments",
    "fits",
    "hookimpl",
    "load_plugin",
    "load_state",
    "nearest_patches",
    "param",
    "parse_base",
    "parse_protocol",
    "patches_at",
    "prdc",
    "read_maps",
    "resampled",
    "save_state",
    "seen_fields",
    "spatial_folds",
    "take_in_turn",
    "takeable",
    "text_of_spreadsheet",
    "told_apart",
    "train_tiles",
    "train_view_seen",
    "user_file",
]
