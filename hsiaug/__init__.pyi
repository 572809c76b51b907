from .data import load_scene as load_scene
from .own_scenes import add_scene as add_scene
from .results import Results as Results
from .results import augment_scene as augment_scene
from .results import benchmark as benchmark
from .results import classifier as classifier
from .results import generator as generator
from .results import read_store as read_store
from .results import split as split
from .scene_maps import SceneMap as SceneMap
from .scene_maps import map_scene as map_scene

__version__: str
