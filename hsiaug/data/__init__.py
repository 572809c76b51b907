"""Scenes: a catalogue of public ones, readers for your own, and a made-up one for tests.

A scene is described by a *card*, a small TOML file: the public ones lie in ``hsiaug/data/scenes``, your
own lie beside your files. Both follow one schema, :class:`hsiaug.data.cards.SceneCard`.

    load_scene("indian_pines")      from the catalogue; downloads what is missing
    load_scene("my_scene.toml")     from your own card
    toy_scene(seed=1)               nothing read from disk
    load_pairs("oscd", "change")    image–mask pairs for the dense tasks, or a scene as one pair

Inside: cards (the schema) · catalogue (names, folders, files and checksums) · download (mirrors) ·
bounds (how much a file may ask for) · readers (.mat, .npy, ENVI, GeoTIFF, images) · labels (codes to class ids) ·
loading · pair_cards, pair_sets, pair_loading (pairs) · adding (a card from your own files, by cube_check, label_source,
vector_labels, layers) · toy.
"""

from __future__ import annotations

from hsiaug.data.catalogue import data_dir, pair_set_names, scene_card, scene_names
from hsiaug.data.loading import fetch_scene, load_scene
from hsiaug.data.pair_loading import load_pairs
from hsiaug.data.toy import toy_scene

__all__ = [
    "data_dir",
    "fetch_scene",
    "load_pairs",
    "load_scene",
    "pair_set_names",
    "scene_card",
    "scene_names",
    "toy_scene",
]
