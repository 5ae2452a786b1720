"""Oracles: the matrix itself in plain loops, scikit-image, maps made once with PyRadiomics, and closed forms."""

import hashlib
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.feature import graycomatrix, graycoprops

from osteolib.views.texture import FEATURES, ORIGINAL, directions, grey_levels, level_maps, middle_maps, texture_maps

GOLDEN = Path(__file__).parents[1] / "golden" / "texture"


def bone(*shape, seed=0):
    return np.random.default_rng(seed).integers(-200, 900, shape).astype(np.int16)


def matrices(grey, inside, centre, window):
    """Normalised symmetric GLCMs of one window by direction, counted voxel by voxel; none for an empty direction."""
    box = [range(max(0, c - window // 2), min(n, c + window // 2 + 1)) for c, n in zip(centre, grey.shape, strict=True)]
    for step in product((-1, 0, 1), repeat=grey.ndim):
        if step <= (0,) * grey.ndim:
            continue
        matrix = np.zeros((grey.max() + 1,) * 2)
        for voxel in product(*box):
            other = tuple(v + s for v, s in zip(voxel, step, strict=True))
            if all(o in r for o, r in zip(other, box, strict=True)) and inside[voxel] and inside[other]:
                matrix[grey[voxel], grey[other]] += 1
                matrix[grey[other], grey[voxel]] += 1
        if matrix.any():
            yield matrix / matrix.sum()


def of_matrix(p):
    i, j = np.indices(p.shape)
    by_difference = [(k, p[np.abs(i - j) == k].sum()) for k in range(len(p))]
    return [(p * i * j).sum(), (p * i).sum(), (p * (i - j) ** 2).sum(), sum(k * share for k, share in by_difference)]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("shape", "window"), [((9, 7), 3), ((9, 7), 5), ((4, 5, 6), 3), ((5, 5, 6), 5)])
def test_maps_are_those_of_the_matrix_in_plain_loops(shape, window, masked):
    volume = bone(*shape)
    inside = np.random.default_rng(1).random(shape) < 0.7 if masked else np.ones(shape, bool)
    maps = texture_maps(volume, levels=6, window=window, mask=inside if masked else None)
    grey = grey_levels(volume, 6, mask=inside).numpy()
    for voxel in product(*map(range, shape)):
        found = [of_matrix(p) for p in matrices(grey, inside, voxel, window)] if inside[voxel] else []
        expected = np.mean(found, 0) if found else np.zeros(4)
        got = [maps[name][voxel].item() for name in FEATURES]
        assert got == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_a_whole_window_has_the_contrast_of_scikit_image():
    """Its four angles are the four directions; its levels begin at 0, which no difference notices."""
    volume = bone(21, 19)
    grey = grey_levels(volume, 16).numpy().astype(np.uint8) - 1
    maps = texture_maps(volume, levels=16, window=7)
    for row, column in ((3, 3), (10, 12), (17, 15)):
        part = grey[row - 3 : row + 4, column - 3 : column + 4]
        pairs = graycomatrix(part, [1], np.arange(4) * np.pi / 4, 16, symmetric=True, normed=True)
        for ours, theirs in (("contrast", "contrast"), ("difference_average", "dissimilarity")):
            assert maps[ours][row, column].item() == pytest.approx(graycoprops(pairs, theirs).mean(), rel=1e-5)
        mean = (pairs * np.arange(1, 17)[:, None, None, None]).sum((0, 1)).mean()
        assert maps["joint_average"][row, column].item() == pytest.approx(mean, rel=1e-5)


def test_the_table_that_haralick_printed():
    """1973, Fig. 3: neighbours along a row of a 4 x 4 image; here its matrix by the test's own loop, and one map."""
    image = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]]) + 1
    printed = np.array([[4, 2, 1, 0], [2, 4, 0, 0], [1, 0, 6, 1], [0, 0, 1, 2]]) / 24
    along_a_row = next(matrices(image, np.ones((4, 4), bool), (1, 1), 9))  # (0, 1) comes first
    assert along_a_row[1:, 1:] == pytest.approx(printed)
    every = [of_matrix(p) for p in matrices(image, np.ones((4, 4), bool), (1, 1), 3)]
    maps = level_maps(torch.from_numpy(image), window=3)
    assert [maps[name][1, 1].item() for name in FEATURES] == pytest.approx(np.mean(every, 0))


def golden_cases():
    return json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))["cases"]


@pytest.fixture(scope="module")
def golden():
    """A missing file fails, and so do inputs that are not those of the script."""
    arrays = dict(np.load(GOLDEN / "golden.npz", allow_pickle=False))
    for name, sha in json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))["sha256"].items():
        assert hashlib.sha256(arrays[name].tobytes()).hexdigest() == sha, name
    return arrays


@pytest.mark.parametrize("name", golden_cases())
def test_maps_are_those_of_pyradiomics(golden, name):
    case = golden_cases()[name]
    mask = golden[case["mask"]] if case["mask"] else None
    options = {key: case[key] for key in ("levels", "bin_width", "window")}
    maps = texture_maps(golden[case["image"]], mask=mask, **options)
    for feature in FEATURES:
        theirs, ours = golden[f"{name}: {feature}"], maps[feature].numpy()
        defined = np.isfinite(theirs)
        assert ours[defined] == pytest.approx(theirs[defined], rel=2e-6, abs=2e-6)
        assert defined.mean() > 0.98


def test_where_a_direction_is_empty_only_the_joint_average_of_pyradiomics_is_lost(golden):
    name = "flat, width 25, radius 1, spur"
    lost = {feature: np.argwhere(np.isnan(golden[f"{name}: {feature}"])).tolist() for feature in FEATURES}
    alone, thin = [[12, 3]], [[4, 8], [4, 9], [4, 10]]
    assert lost == {feature: thin + alone if feature == "joint_average" else alone for feature in FEATURES}
    case = golden_cases()[name]
    maps = texture_maps(golden[case["image"]], levels=None, bin_width=25, window=3, mask=golden[case["mask"]])
    grey = grey_levels(golden[case["image"]], None, bin_width=25, mask=golden[case["mask"]])
    assert maps["joint_average"][4, 10].item() == (grey[4, 9] + grey[4, 10]).item() / 2  # one pair
    assert all(maps[feature][12, 3].item() == 0 for feature in FEATURES)


def test_the_pool_holds_the_image_itself_first_and_only_what_was_asked_for():
    volume = bone(8, 9, 10)
    pool = texture_maps(volume, ("contrast", "joint_average"))
    assert list(pool) == [ORIGINAL, "contrast", "joint_average"]
    assert torch.equal(pool[ORIGINAL], torch.from_numpy(volume).float())
    assert all(view.shape == (8, 9, 10) and view.dtype == torch.float32 for view in pool.values())


def test_an_array_is_neither_changed_nor_shared_even_one_that_may_not_be_written():
    volume = bone(8, 9).astype(np.float32)
    volume.flags.writeable = False
    texture_maps(volume[::-1], mask=volume > 0)[ORIGINAL][:] = 0
    assert np.array_equal(volume, bone(8, 9))
    tensor = torch.from_numpy(bone(8, 9).astype(np.float32))
    texture_maps(tensor)[ORIGINAL][:] = 0
    assert np.array_equal(tensor, bone(8, 9))


def test_bins_by_hand():
    values = np.array([[54, 78, 100], [125, 150, 166]])
    assert grey_levels(values, None, bin_width=25).tolist() == [[1, 2, 3], [4, 5, 5]]  # PyRadiomics' own example
    assert grey_levels(np.array([[0, 1, 2], [3, 4, 8]]), 4).tolist() == [[1, 1, 2], [2, 3, 4]]
    inside = np.array([[1, 1, 0], [1, 1, 0]])
    assert grey_levels(values, None, bin_width=25, mask=inside).tolist() == [[1, 2, 0], [4, 5, 0]]


def test_chunks_change_nothing():
    volume, inside = bone(23, 8, 9), np.random.default_rng(1).random((23, 8, 9)) < 0.6
    for mask in (None, inside):
        whole = texture_maps(volume, window=5, mask=mask)
        for slab in (1, 72 * 2, 72 * 7):
            parts = texture_maps(volume, window=5, mask=mask, slab_voxels=slab)
            assert all(torch.allclose(whole[name], parts[name], rtol=1e-6, atol=1e-6) for name in whole)


@pytest.mark.parametrize("window", [3, 5])
def test_the_plane_half_way_alone_is_that_of_the_whole_slab_to_the_last_bit(window):
    for axis in range(3):
        shape = [11, 9, 10]
        shape[axis] = window
        grey = grey_levels(bone(*shape, seed=axis))
        whole, plane = level_maps(grey, window=window), middle_maps(grey, axis)
        assert list(plane) == list(whole)
        for name, values in plane.items():
            assert torch.equal(values, whole[name].select(axis, window // 2))
    with pytest.raises(ValueError, match="window must be an odd number of voxels, 3 or more: 4"):
        middle_maps(grey_levels(bone(4, 9, 9)), 0)


def test_autocorrelation_follows_from_second_moment_and_contrast():
    """ij = (i² + j²) / 2 − (i − j)² / 2; the mean of (i² + j²) / 2 is the joint average of squared levels."""
    grey = grey_levels(bone(12, 13), 8)
    maps = texture_maps(grey, levels=None, bin_width=1, window=5)
    squares = texture_maps(grey**2, ("joint_average",), levels=None, bin_width=1, window=5)["joint_average"]
    least = int((grey**2).min()) - 1  # the lowest level is called 1 again
    assert maps["autocorrelation"].numpy() == pytest.approx((squares + least - maps["contrast"] / 2).numpy(), rel=1e-5)


def test_a_fixed_bin_number_is_blind_to_offset_and_scale():
    volume = bone(10, 11, 12).astype(float)
    same = texture_maps(volume), texture_maps(4 * volume + 512)
    assert all(torch.equal(same[0][name], same[1][name]) for name in FEATURES)
    moved = texture_maps(volume, levels=None, bin_width=25), texture_maps(volume + 100, levels=None, bin_width=25)
    assert all(torch.equal(moved[0][name], moved[1][name]) for name in FEATURES)
    scaled = texture_maps(2 * volume, levels=None, bin_width=25)
    assert scaled["contrast"].mean() > 3 * moved[0]["contrast"].mean()


def test_white_noise_adds_twice_its_variance_to_the_contrast():
    noise = np.random.default_rng(0).normal(0, 100, (40, 40, 40))
    contrast = texture_maps(noise, ("contrast",), None, 5, bin_width=10)["contrast"].mean().item()
    assert contrast == pytest.approx(2 * 10**2 + 2 / 12, rel=0.02)  # the rounding of both voxels adds 1/12 each


def test_an_axis_mirrored_or_swapped_is_a_map_mirrored_or_swapped():
    volume = bone(9, 10, 11)
    maps, turned = texture_maps(volume), texture_maps(volume[::-1].transpose(2, 0, 1).copy())
    for name in FEATURES:
        assert torch.allclose(maps[name].flip(0).permute(2, 0, 1), turned[name], rtol=1e-5, atol=1e-5)


def test_a_flat_window_has_no_contrast_and_its_own_level():
    volume = np.zeros((12, 12))
    volume[:, 6:] = 10
    maps = texture_maps(volume, levels=4, window=3)
    assert maps["contrast"][:, :5].eq(0).all() and maps["contrast"][5, 5] > 0
    assert maps["joint_average"][3, 2] == 1 and maps["joint_average"][3, 9] == 4


def test_directions_hold_one_of_each_two_opposites():
    for ndim, n in ((2, 4), (3, 13)):
        steps = directions(ndim)
        both = set(steps) | {tuple(-s for s in step) for step in steps}
        assert len(steps) == n and len(both) == 3**ndim - 1


def with_nan():
    volume = bone(8, 8).astype(float)
    volume[2, 3] = np.nan
    return volume


@pytest.mark.parametrize(
    ("volume", "options", "message"),
    [
        (with_nan(), {}, "volume: 1 values are NaN or infinite; replace them first"),
        (np.full((8, 8), 7), {}, "every value is 7; a constant image has no texture"),
        (bone(8, 4), {}, r"window: 5 voxels are more than the volume has, shape \(8, 4\)"),
        (bone(8, 8), {"window": 4}, "window must be an odd number of voxels, 3 or more: 4"),
        (bone(8, 8), {"window": 1}, "window must be an odd number"),
        (bone(8, 8), {"levels": 1}, "levels must be a whole number from 2 to 4096: 1"),
        (bone(8, 8), {"levels": 2.5}, "levels must be a whole number"),
        (bone(8, 8), {"bin_width": 25}, "levels, bin_width: give one of them"),
        (bone(8, 8), {"levels": None}, "levels, bin_width: give one of them"),
        (bone(8, 8), {"levels": None, "bin_width": 0}, "bin_width must be above 0: 0"),
        (bone(8, 8), {"levels": None, "bin_width": 0.01}, "bin_width 0.01 makes more than 4096 levels"),
        (bone(8, 8), {"features": ("contrast", "entropy")}, "features: entropy; there are autocorrelation, "),
        (bone(8, 8), {"features": ()}, "features: none; there are"),
        (bone(8), {}, r"shape \(height, width\) or \(depth, height, width\) needed, got \(8,\)"),
        (bone(8, 8), {"mask": np.ones((8, 7))}, r"mask: shape \(8, 7\), the volume has \(8, 8\)"),
        (bone(8, 8), {"mask": np.zeros((8, 8))}, "mask: no voxel is inside"),
        (np.eye(8), {"mask": np.eye(8)}, "volume inside its mask: every value is 1.0"),
    ],
)
def test_bad_input_is_named_with_a_remedy(volume, options, message):
    with pytest.raises(ValueError, match=message):
        texture_maps(volume, **options)


def test_nan_is_refused_outside_the_mask_too_because_the_image_is_in_the_pool():
    with pytest.raises(ValueError, match="1 values are NaN"):
        texture_maps(with_nan(), mask=np.isfinite(with_nan()))
