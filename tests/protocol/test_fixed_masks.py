"""Protocol ``fixed``: masks from files, with the traps of well-known ones."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from hsiaug.base.errors import InputError, SceneError, SplitError
from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split

TOY = toy_scene()


def halves() -> tuple[np.ndarray, np.ndarray]:
    """Labels left of the middle for training, right of it for test."""
    left = np.arange(TOY.shape[1]) < TOY.shape[1] // 2
    labels = TOY.labels.astype(int)
    return labels * left, labels * ~left


def split_by(path: Path | str) -> Split:
    return draw_split(TOY, parse_protocol(f"fixed:{path}"), 0, 5)


@pytest.mark.parametrize("suffix", [".npz", ".mat"])
def test_a_file_with_train_and_test(tmp_path: Path, suffix: str) -> None:
    train, test = halves()
    path = tmp_path / f"masks{suffix}"
    (np.savez if suffix == ".npz" else lambda p, **a: savemat(p, a))(path, train=train, test=test)

    split = split_by(path)
    assert (split.train == (train > 0)).all() and (split.test == (test > 0)).all()
    assert split.audit.n_buffered == 0


def test_two_files_and_one_file_of_training_pixels_alone(tmp_path: Path) -> None:
    train, test = halves()
    np.save(tmp_path / "a.npy", train)
    np.save(tmp_path / "b.npy", test)

    both = split_by(f"{tmp_path / 'a.npy'}+{tmp_path / 'b.npy'}")
    alone = split_by(tmp_path / "a.npy")
    assert both.audit.sha256 == alone.audit.sha256


def test_binary_masks_take_their_labels_from_the_scene(tmp_path: Path) -> None:
    train, _ = halves()
    np.save(tmp_path / "binary.npy", train > 0)

    assert split_by(tmp_path / "binary.npy").audit.train_counts == tuple(
        np.bincount(train.ravel())[1:]
    )


def test_permuted_class_ids_are_seen_through_and_disagreements_dropped(tmp_path: Path) -> None:
    train, _ = halves()
    permuted = np.array([0, 3, 1, 5, 2, 4])[train]
    wrong = tuple(np.argwhere(train == 1)[0])
    background = tuple(np.argwhere(TOY.labels == 0)[0])
    permuted[wrong], permuted[background] = 5, 1
    np.save(tmp_path / "permuted.npy", permuted)

    split = split_by(tmp_path / "permuted.npy")
    assert not split.train[wrong] and not split.train[background]
    assert split.audit.n_train == int((train > 0).sum()) - 1
    assert len(split.audit.notes) == 2


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.5, 1e300])
def test_a_mask_of_anything_but_whole_numbers_is_refused(tmp_path: Path, value: float) -> None:
    train, _ = halves()
    np.save(tmp_path / "odd.npy", np.where(train > 0, value, 0))

    with pytest.raises(SceneError, match="must be whole numbers"):
        split_by(tmp_path / "odd.npy")


def test_a_mask_of_another_scene_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    np.save(tmp_path / "noise.npy", rng.integers(0, 6, size=TOY.shape))
    np.save(tmp_path / "small.npy", np.ones((3, 3), dtype=int))

    with pytest.raises(SplitError, match="must agree with the labels"):
        split_by(tmp_path / "noise.npy")
    with pytest.raises(SplitError, match=r"expected one mask of shape \(48, 48\)"):
        split_by(tmp_path / "small.npy")


def test_overlapping_masks_are_refused(tmp_path: Path) -> None:
    train, _ = halves()
    np.savez(tmp_path / "same.npz", train=train, test=train)

    with pytest.raises(SplitError, match="share a pixel"):
        split_by(tmp_path / "same.npz")


def test_objects_and_damaged_files_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "cut.mat").write_bytes(b"MATLAB 5.0")
    (tmp_path / "words.txt").write_text("train")

    for name in ("objects.npy", "cut.mat", "words.txt"):
        with pytest.raises(SceneError, match=name):
            split_by(tmp_path / name)
    with pytest.raises(InputError, match="masks"):
        split_by(tmp_path / "absent.mat")


def test_a_file_without_end_and_an_empty_one_are_refused_before_they_are_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "empty.npy").touch()
    with (tmp_path / "long.npy").open("wb") as file:
        file.truncate(2**40)
    for name in ("empty.npy", "long.npy"):
        with pytest.raises(SceneError, match=f"{name} must "):
            split_by(tmp_path / name)


@pytest.mark.shared_data
@pytest.mark.indian_pines
def test_the_disjoint_mask_of_indian_pines_is_far_from_disjoint_at_patch_level(
    indian_pines, shared_data
):
    path = shared_data / "ground_truth_only" / "indianpines_disjoint_dset.mat"
    audit = draw_split(indian_pines, parse_protocol(f"fixed:{path}"), 0, 9).audit

    assert audit.leaky
    assert audit.centre_overlap_percent == pytest.approx(71, abs=1)
    assert audit.n_train == 5689 - 161
    assert len(audit.notes) == 2


@pytest.mark.shared_data
def test_the_two_files_of_pavia_university(shared_data: Path) -> None:
    folder = shared_data / "ground_truth_only"
    labels = loadmat(folder / "paviaU_gt.mat")["paviaU_gt"]
    scene = Scene("paviaU", np.ones((*labels.shape, 1)), labels, tuple("abcdefghi"))
    text = f"fixed:{folder / 'TRpavia_fixed.mat'}+{folder / 'TSpavia_fixed.mat'}"
    audit = draw_split(scene, parse_protocol(text), 0, 9).audit

    assert audit.n_train == 3921 - 1147
    assert audit.n_test == 40002
    assert audit.centre_overlap_percent == pytest.approx(14, abs=1)
