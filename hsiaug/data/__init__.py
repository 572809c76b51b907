"""Scenes: a catalogue of public ones, readers for your own, and a made-up one for tests.

A scene is described by a *card*, a small TOML file: the public ones lie in ``hsiaug/data/scenes``,
your own lie beside your files. Both follow one schema, :class:`hsiaug.data.cards.SceneCard`.

    load_scene("indian_pines")      from the catalogue; downloads what is missing
    load_scene("my_scene.toml")     from your own card
    toy_scene(seed=1)               nothing read from disk
    load_pairs("oscd", "change")    image–mask pairs for the dense tasks, or a scene as one pair

Inside: cards (the schemas) · catalogue (names, folders, files, checksums and downloads) ·
bounds (how much a file may ask for) · raw, windows (arrays as files hold them) · paths, texts,
band_centres (endings, encodings, units) · readers (.npy and pictures; the others by readers_mat,
readers_envi with envi_header, readers_tiff, products, tables) · auxiliary, georeference
(what lies beside a file, and where) · labels (codes to class ids) · loading · pair_sets,
pair_files, pair_loading (pairs) · adding (a card from your own files, by cube_check, label_source,
label_codes, data_arrays, vector_labels with layers; what was found is said in findings) · toy.
"""

from hsiaug.data.catalogue import data_dir as data_dir
from hsiaug.data.catalogue import pair_set_names as pair_set_names
from hsiaug.data.catalogue import scene_card as scene_card
from hsiaug.data.catalogue import scene_names as scene_names
from hsiaug.data.loading import fetch_scene as fetch_scene
from hsiaug.data.loading import load_scene as load_scene
from hsiaug.data.pair_loading import load_pairs as load_pairs
from hsiaug.data.toy import toy_scene as toy_scene
