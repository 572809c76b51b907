"""Everything that plugins import. Other modules of hsiaug may change.

A whole generator::

    from dataclasses import dataclass
    import numpy as np
    from hsiaug.api import (
        Card, Entry, PatchSamples, Plugin, hookimpl, load_state, param, save_state
    )

    @dataclass(frozen=True)
    class Params:
        gain: float = param(0.02, "standard deviation of the gain", low=0)

    class Fitted:
        def __init__(self, x, y, gain):
            self.x, self.y, self.gain = x, y, gain

        def sample(self, counts, *, guidance, seed):
            rng = np.random.default_rng(seed)
            picks = [rng.choice(np.flatnonzero(self.y == c), size=n) for c, n in counts.items()]
            index = np.concatenate(picks)
            gain = rng.normal(1, self.gain, size=(len(index), 1, 1, 1))
            return PatchSamples.made(self.x[index] * gain, self.y[index])

        def save(self, folder):
            save_state(folder, {"x": self.x, "y": self.y}, {"gain": self.gain})

    class Gain(Plugin):
        card = Card(
            name="gain", version="1", summary="Real patches with a random gain", params=Params
        )

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

from hsiaug.base.arrays import give_back_files as give_back_files
from hsiaug.base.arrays import mapped_rows as mapped_rows
from hsiaug.base.errors import DataUnavailableError as DataUnavailableError
from hsiaug.base.errors import InputError as InputError
from hsiaug.base.errors import PluginError as PluginError
from hsiaug.base.errors import SceneError as SceneError
from hsiaug.base.errors import SplitError as SplitError
from hsiaug.base.errors import StoreError as StoreError
from hsiaug.base.errors import did_you_mean as did_you_mean
from hsiaug.base.seeds import derive_seed as derive_seed
from hsiaug.base.text import text_of_spreadsheet as text_of_spreadsheet
from hsiaug.contracts import Attention as Attention
from hsiaug.contracts import Classifier as Classifier
from hsiaug.contracts import FittedClassifier as FittedClassifier
from hsiaug.contracts import FittedGenerator as FittedGenerator
from hsiaug.contracts import FittedMaskClassifier as FittedMaskClassifier
from hsiaug.contracts import FittedPairGenerator as FittedPairGenerator
from hsiaug.contracts import Generator as Generator
from hsiaug.contracts import MaskClassifier as MaskClassifier
from hsiaug.contracts import PairGenerator as PairGenerator
from hsiaug.contracts import Prepared as Prepared
from hsiaug.contracts import Progress as Progress
from hsiaug.contracts import PromptReading as PromptReading
from hsiaug.contracts import Reconstruction as Reconstruction
from hsiaug.core.fields import dilate as dilate
from hsiaug.core.fields import find_segments as find_segments
from hsiaug.core.fields import seen_fields as seen_fields
from hsiaug.core.fields import side_masks as side_masks
from hsiaug.core.pairs import PairSet as PairSet
from hsiaug.core.samples import Patches as Patches
from hsiaug.core.samples import PatchSamples as PatchSamples
from hsiaug.core.samples import take_in_turn as take_in_turn
from hsiaug.core.scene import Scene as Scene
from hsiaug.core.spectral_views import SpectralView as SpectralView
from hsiaug.core.tiles import DenseSamples as DenseSamples
from hsiaug.core.tiles import DenseView as DenseView
from hsiaug.core.tiles import PairCounts as PairCounts
from hsiaug.core.tiles import Tiles as Tiles
from hsiaug.data.bounds import check_memory as check_memory
from hsiaug.data.labels import check_whole as check_whole
from hsiaug.data.paths import user_file as user_file
from hsiaug.data.paths import user_path as user_path
from hsiaug.data.readers import read_maps as read_maps
from hsiaug.metrics.neighbours import prdc as prdc
from hsiaug.metrics.patch_distances import PatchReference as PatchReference
from hsiaug.metrics.patch_distances import PatchSpace as PatchSpace
from hsiaug.metrics.patch_distances import block_means as block_means
from hsiaug.metrics.significance import told_apart as told_apart
from hsiaug.metrics.structure import edge_share as edge_share
from hsiaug.metrics.structure import edge_threshold as edge_threshold
from hsiaug.metrics.structure import neighbour_correlation as neighbour_correlation
from hsiaug.protocol.based import Based as Based
from hsiaug.protocol.based import takeable as takeable
from hsiaug.protocol.protocols import KEPT_FOR_TEST as KEPT_FOR_TEST
from hsiaug.protocol.protocols import draw_train as draw_train
from hsiaug.protocol.protocols import parse_base as parse_base
from hsiaug.protocol.protocols import parse_protocol as parse_protocol
from hsiaug.protocol.tiling import draw_tiles as draw_tiles
from hsiaug.protocol.tiling import fits as fits
from hsiaug.protocol.tiling import train_tiles as train_tiles
from hsiaug.protocol.view import Normaliser as Normaliser
from hsiaug.protocol.view import TrainView as TrainView
from hsiaug.protocol.view import checksum_of_pixels as checksum_of_pixels
from hsiaug.protocol.view import patches_at as patches_at
from hsiaug.protocol.view import train_view_seen as train_view_seen
from hsiaug.registry.card import ANY_TASK as ANY_TASK
from hsiaug.registry.card import Card as Card
from hsiaug.registry.card import NoParams as NoParams
from hsiaug.registry.card import Plugin as Plugin
from hsiaug.registry.card import defaults as defaults
from hsiaug.registry.card import param as param
from hsiaug.registry.card import resampled as resampled
from hsiaug.registry.hookspecs import Entry as Entry
from hsiaug.registry.hookspecs import hookimpl as hookimpl
from hsiaug.registry.lookup import load_plugin as load_plugin
from hsiaug.registry.protocol_base import Areas as Areas
from hsiaug.registry.protocol_base import Buffer as Buffer
from hsiaug.registry.protocol_base import Draw as Draw
from hsiaug.registry.protocol_base import SplitProtocol as SplitProtocol
from hsiaug.registry.state import load_state as load_state
from hsiaug.registry.state import save_state as save_state
from hsiaug.tasks.view_choice import choose_view as choose_view
from hsiaug.tasks.view_choice import spatial_folds as spatial_folds
