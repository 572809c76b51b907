"""Scenes: a catalogue of public ones, readers for your own, and a made-up one for tests.

A scene is described by a *card*, a small TOML file: the public ones lie in ``hsiaug/data/scenes``, your
own lie beside your files. Both follow one schema, :class:`hsiaug.data.cards.SceneCard`.

    load_scene("indian_pines")      from the catalogue; downloads what is missing
    load_scene("my_scene.toml")     from your own card
    toy_scene(seed=1)               nothing read from disk

The rooms inside: cards (the schema) · catalogue (names, folders) · files (what is here, checksums) ·
download (mirrors) · readers (.mat, .npy, ENVI, images) · labels (codes to class ids) · loading · toy.
"""

from __future__ import annotations

from hsiaug.data.catalogue import data_dir, scene_card, scene_names
from hsiaug.data.loading import fetch_scene, load_scene
from hsiaug.data.toy import toy_scene

__all__ = ["data_dir", "fetch_scene", "load_scene", "scene_card", "scene_names", "toy_scene"]
