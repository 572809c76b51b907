from hsiaug.data import load_scene as load_scene
from hsiaug.own_scenes import add_scene as add_scene
from hsiaug.results import Results as Results
from hsiaug.results import augment_scene as augment_scene
from hsiaug.results import benchmark as benchmark
from hsiaug.results import classifier as classifier
from hsiaug.results import generator as generator
from hsiaug.results import read_store as read_store
from hsiaug.results import split as split
from hsiaug.scene_maps import SceneMap as SceneMap
from hsiaug.scene_maps import map_scene as map_scene

__version__: str
