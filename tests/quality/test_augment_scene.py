"""augment_scene: the samples of a trial, from Python."""

import pytest

from hsiaug import augment_scene
from hsiaug.base.errors import InputError
from hsiaug.core.samples import concatenate


def test_a_scene_is_augmented_as_the_trial_does(toy, make, tmp_path):
    samples = augment_scene(toy, "smote", lam=0.5, times=0, seed=1, patch=5, params={"neighbours": 3})
    made = make("smote", lam=0.5, seed=1, overrides={"neighbours": "3"})

    joined = concatenate([made.real, made.synthetic])
    assert (samples.x == joined.x).all() and (samples.synthetic == joined.synthetic).all()
    assert samples.provenance["fit_hash"] == made.spec.fit_hash
    with pytest.raises(InputError, match="Did you mean toy"):
        augment_scene("toyy")
