"""Which generator to use on a scene, or none: what ``hsiaug advise`` finds out."""
