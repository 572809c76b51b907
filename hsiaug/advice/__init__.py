"""Advice on which generator to use on a scene, or none: the work of ``hsiaug advise``."""
