"""augment_scene: the samples of a trial, from Python."""

from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader

from hsiaug import augment_scene
from hsiaug.base.errors import InputError
from hsiaug.core.samples import concatenate


def test_a_scene_is_augmented_as_the_trial_does(toy, make, tmp_path):
    samples = augment_scene(
        toy, "smote", lam=0.5, times=0, seed=1, patch=5, params={"neighbours": 3}
    )
    made = make("smote", lam=0.5, seed=1, overrides={"neighbours": "3"})

    assert (samples.real.x == made.real.x).all() and not samples.real.synthetic.any()
    assert (samples.synthetic.x == made.synthetic.x).all() and samples.synthetic.synthetic.all()
    joined = concatenate([made.real, made.synthetic])
    assert (samples.together.x == joined.x).all()
    assert samples.synthetic.provenance["fit_hash"] == made.spec.fit_hash
    with pytest.raises(InputError, match="Did you mean toy"):
        augment_scene("toyy")


def test_samples_of_pixels_are_a_dataset_of_torch(toy):
    samples = augment_scene(toy, "smote", patch=5).together
    patches, classes, weights = next(iter(DataLoader(samples.to_torch(), batch_size=len(samples))))
    assert np.array_equal(patches, samples.x) and np.array_equal(weights, samples.weight)
    assert np.array_equal(classes, samples.y - 1) and classes.min() == 0


CARD = """
name = "ground"
task = "{task}"
[images]
files = {files}
axes = "bhw"
[masks]
files = ["{{name}}_mask.npy"]
names = ["unchanged", "changed"]
ignore = [0]
[places]
any = ["one"]
"""


@pytest.mark.parametrize("dates", [1, 2])
def test_pairs_are_augmented_and_a_dataset_of_torch(
    tmp_path: Path, dates: int, rng: np.random.Generator
) -> None:
    files = [f"{{name}}_{date}.npy" for date in range(dates)]
    for date in range(dates):
        np.save(tmp_path / f"one_{date}.npy", rng.random((4, 48, 96), dtype=np.float32))
    np.save(tmp_path / "one_mask.npy", rng.integers(0, 3, (6, 12)).repeat(8, 0).repeat(8, 1))
    task = ("segmentation", "change")[dates - 1]
    (tmp_path / "ground.toml").write_text(CARD.format(task=task, files=files))

    samples = augment_scene(tmp_path / "ground.toml", "duplicate").together
    image, mask = samples.to_torch()[0]
    assert samples.synthetic.any() and not samples.synthetic.all()
    assert image.shape == ((4, 16, 16) if dates == 1 else (2, 4, 16, 16))
    assert np.array_equal(mask, np.where(samples.masks[0] > 0, samples.masks[0] - 1, -100))
