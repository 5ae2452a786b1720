"""The sampler against the plain loop it stands for, torchvision, and counts by hand."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from scipy import stats
from torchvision.transforms import InterpolationMode, RandomResizedCrop
from torchvision.transforms import functional as tv

from osteolib.views import multicrop
from osteolib.views.multicrop import (
    CROPS,
    PRESETS,
    Augmentation,
    Crop,
    Placement,
    content,
    draw_boxes,
    draw_poses,
    multi_crop,
    place,
    random_resized_crop,
    relight,
    render,
    sample,
    sums_along_rows,
)

STILL = Augmentation(degrees=0, translation=0, flip=0, brightness=0, contrast=0)
SMALL = (Crop(2, 32, (0.14, 1.0)), Crop(4, 16, (0.05, 0.14)))
UPRIGHT = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])
P = 1e-3  # seeds are fixed: a test that passes once passes always


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def shaft(side=48, width=0.15, lean=0.3):
    y, x = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
    return ((x - lean * y).abs() < width) & (y.abs() < 0.9)


def disc(side=48):
    y, x = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
    return (x - 0.5) ** 2 + (y + 0.4) ** 2 < 0.1


MASKS = {"thin shaft": shaft(), "disc in a corner": disc(), "oblong frame": shaft(64)[:, 14:50]}
ANGLES = {"thin shaft": 0.0, "disc in a corner": 20.0, "oblong frame": -25.0}


def bones_of(*masks):
    """Grey inside the mask, never zero there."""
    grey = 0.2 + 0.8 * torch.rand(len(masks), 1, *masks[0].shape, generator=seeded(9))
    return grey * torch.stack(masks)[:, None]


def turned(degrees, shift=(0.0, 0.0), mirror=(1.0, 1.0)):
    """Inverse of: mirror, turn, shift; written with matrices."""
    angle = np.deg2rad(degrees)
    forward = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag(mirror)
    inverse = np.linalg.inv(forward)
    return torch.tensor(np.column_stack([inverse, -inverse @ np.array(shift)]), dtype=torch.float32)[None]


def counted_by_hand(mask, pose, box):
    """Every non-zero pixel is carried forward, then looked for in the box."""
    height, width = mask.shape
    rows, columns = np.nonzero(mask.numpy())
    points = np.stack([columns + 0.5 - width / 2, rows + 0.5 - height / 2])
    matrix = pose[0].double().numpy()
    x, y = np.linalg.inv(matrix[:, :2]) @ (points - matrix[:, 2:]) + np.array([[width / 2], [height / 2]])
    top, left, tall, wide = box
    return ((x >= left) & (x < left + wide) & (y >= top) & (y < top + tall)).sum() / (tall * wide)


def share_of(mask, pose, boxes):
    bones = mask[None, None].float()
    return content(sums_along_rows(bones), torch.tensor([0]), pose, torch.as_tensor(boxes)[None])[0]


def torchvision_boxes(count, height, width, crop, seed=0):
    image = torch.zeros(1, height, width)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return np.array([RandomResizedCrop.get_params(image, list(crop.scale), list(crop.ratio)) for _ in range(count)])


def rejection_loop(count, mask, pose, crop, min_content=0.1):
    """The reference: torchvision draws size and position, all anew until the box has content."""
    boxes = torchvision_boxes(count, *mask.shape, crop)
    return boxes[[counted_by_hand(mask, pose, box) >= min_content for box in boxes]]


def features(boxes):
    """Area, ratio, middle of the box and position among those possible."""
    top, left, tall, wide = np.asarray(boxes, dtype=float).T
    return {"area": tall * wide, "ratio": wide / tall, "x": left + wide / 2, "y": top + tall / 2, "left": left}


def same_law(ours, theirs):
    """Two samples; also jointly, on a coarse grid of (area, x, y)."""
    a, b = features(ours), features(theirs)
    for name in a:
        assert stats.ks_2samp(a[name], b[name]).pvalue > P, name
    edges = [np.unique(np.quantile(b[name], [0, 1 / 3, 2 / 3, 1])) for name in ("area", "x", "y")]
    cells = []
    for f in (a, b):
        bins = [
            np.clip(np.searchsorted(e, f[k], "right"), 1, len(e) - 1)
            for e, k in zip(edges, ["area", "x", "y"], strict=True)
        ]
        cells.append(np.bincount(np.ravel_multi_index(bins, (5, 5, 5)), minlength=125))
    table = np.array(cells)
    table = table[:, table.sum(0) >= 10]
    assert stats.chi2_contingency(table).pvalue > P


# ---- the law


@pytest.mark.parametrize(("height", "width"), [(48, 48), (64, 36), (100, 12)])
@pytest.mark.parametrize("crop", CROPS, ids=["global", "local"])
def test_conventional_boxes_follow_torchvision(height, width, crop):
    """100 x 12 is too oblong for most sizes and reaches the central box."""
    ours = random_resized_crop(4000, height, width, seeded(), crop)
    theirs = torchvision_boxes(4000, height, width, crop)
    assert (ours[:, :2] >= 0).all() and (ours[:, :2] + ours[:, 2:] <= torch.tensor([height, width])).all()
    same_law(ours, theirs)


@pytest.mark.parametrize(("height", "width"), [(10, 100), (100, 10), (30, 30)])
def test_the_central_box_is_torchvisions(height, width):
    never = Crop(1, 8, (3.0, 4.0))  # no such area fits
    expected = torchvision_boxes(1, height, width, never)[0]
    assert random_resized_crop(3, height, width, seeded(), never).tolist() == [expected.tolist()] * 3


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("crop", CROPS, ids=["global", "local"])
def test_extended_boxes_follow_the_rejection_loop(name, crop):
    mask, pose = MASKS[name], turned(ANGLES[name], (2.3, -1.6))
    theirs = rejection_loop(5000, mask, pose, crop)
    n = len(theirs)
    sums = sums_along_rows(bones_of(mask)).expand(n, -1, -1)
    ours, held = draw_boxes(sums, pose.expand(n, -1, -1), seeded(1), crop, 0.1)
    assert n > 300 and held.min() >= 0.1
    same_law(ours, theirs)


def test_extended_boxes_have_the_enumerated_probabilities():
    """6 x 6 pixels, three of them bone: each box's probability from its size's, counted, and one over the positions."""
    mask = torch.zeros(6, 6, dtype=torch.bool)
    mask[1, 1] = mask[2, 1] = mask[4, 5] = True
    crop, n = Crop(1, 4, (0.1, 0.5)), 60_000
    sizes, counts = np.unique(torchvision_boxes(40_000, 6, 6, crop)[:, 2:], axis=0, return_counts=True)
    law = {}
    for (tall, wide), count in zip(sizes, counts, strict=True):
        positions = list(itertools.product(range(7 - tall), range(7 - wide)))
        for top, left in positions:
            if mask[top : top + tall, left : left + wide].double().mean() >= 0.1:
                law[top, left, tall, wide] = count / len(positions)
    total = sum(law.values())
    sums = sums_along_rows(mask[None, None].float()).expand(n, -1, -1)
    boxes, _ = draw_boxes(sums, UPRIGHT.expand(n, -1, -1), seeded(), crop, 0.1)
    drawn = Counter(map(tuple, boxes.tolist()))
    assert set(drawn) == set(law)
    for box, weight in law.items():
        expected = n * weight / total
        assert abs(drawn[box] - expected) < 6 * np.sqrt(expected) + 0.03 * expected  # sizes were counted, too


def test_a_full_image_makes_extended_and_conventional_views_the_same():
    bones = torch.rand(5, 1, 40, 40, generator=seeded()) * 0.9 + 0.1
    still = Augmentation(degrees=0, translation=0)
    extended, conventional = (multi_crop(bones, seeded(), SMALL, still, share) for share in (0.1, 0))
    assert all(torch.equal(a, b) for a, b in zip(extended, conventional, strict=True))


def test_extended_views_differ_from_conventional_ones_only_where_content_lacked():
    sums = sums_along_rows(bones_of(MASKS["thin shaft"], MASKS["disc in a corner"]))
    extended, conventional = (
        list(place(sums, seeded(), Crop(40, 16, (0.05, 0.14)), PRESETS["lee2025"], share)) for share in (0.1, 0)
    )
    lacking = 0
    for a, b in zip(extended, conventional, strict=True):
        assert torch.equal(a.pose, b.pose) and torch.equal(a.light, b.light)
        same = (a.boxes == b.boxes).all(1)
        assert torch.equal(same, b.content >= 0.1)
        assert (a.content >= 0.1).all()
        lacking += int((~same).sum())
    assert lacking > 10


# ---- content


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("degrees", [0.0, 11.0, -30.0])
@pytest.mark.parametrize("mirror", [(1, 1), (-1, 1), (1, -1)])
def test_content_is_the_count_by_hand(name, degrees, mirror):
    mask = MASKS[name]
    pose = turned(degrees, (3.3, -2.2) if degrees else (0, 0), mirror)
    boxes = (
        torchvision_boxes(30, *mask.shape, CROPS[0]).tolist() + torchvision_boxes(30, *mask.shape, CROPS[1]).tolist()
    )
    expected = np.array([counted_by_hand(mask, pose, box) for box in boxes])
    np.testing.assert_allclose(share_of(mask, pose, boxes), expected, atol=1e-12)


def test_content_of_an_unturned_box_is_the_mean_of_its_crop():
    mask = torch.rand(20, 31, generator=seeded()) < 0.3
    boxes = torchvision_boxes(50, 20, 31, CROPS[0])
    expected = [mask[t : t + h, x : x + w].double().mean().item() for t, x, h, w in boxes]
    assert share_of(mask, UPRIGHT, boxes).tolist() == pytest.approx(expected, abs=1e-12)


def test_views_show_the_content_that_was_counted():
    """The share of bone in a rendered view, by its coverage, is the content up to the edges of pixels."""
    bones = bones_of(shaft(160), disc(160))
    layers = torch.cat([bones, bones.sign()], 1)
    for placed in place(sums_along_rows(bones), seeded(), Crop(20, 48, (0.05, 0.5)), PRESETS["lee2025"], 0.1):
        shown = sample(layers, placed.pose, placed.boxes, 48, 48)[:, 1].mean((1, 2))
        torch.testing.assert_close(shown.double(), placed.content, atol=0.01, rtol=0)


# ---- pixels


@pytest.mark.parametrize("degrees", [0.0, 17.0, -30.0])
def test_a_pose_is_torchvisions_affine(degrees):
    bones = tv.gaussian_blur(bones_of(shaft(64)), [7, 7])
    placed = sample(bones, turned(degrees, (4, -3)), torch.tensor([[0, 0, 64, 64]]), 64, 64)
    expected = tv.affine(bones, degrees, [4, -3], 1.0, [0.0], InterpolationMode.BILINEAR)
    torch.testing.assert_close(placed, expected, atol=2e-3, rtol=0)


def test_a_crop_is_resized_as_torchvision_does():
    """But for the rim, where torchvision repeats the crop's edge and here the bone goes on."""
    bones = bones_of(shaft(64))
    view = sample(bones, UPRIGHT, torch.tensor([[5, 9, 40, 32]]), 80, 80)
    expected = tv.resized_crop(bones, 5, 9, 40, 32, [80, 80], antialias=False)
    torch.testing.assert_close(view[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2], atol=1e-5, rtol=0)


def test_poses_stay_in_their_ranges_and_fill_them():
    pose = draw_poses(4000, 50, 80, seeded(), PRESETS["lee2025"])
    forward = torch.linalg.inv(pose[:, :, :2])
    mirror = torch.sign(forward[:, [0, 1], [0, 1]])
    degrees = torch.rad2deg(torch.atan2(forward[:, 1, 0] * mirror[:, 0], forward[:, 0, 0] * mirror[:, 0]))
    shift = (-forward @ pose[:, :, 2:])[:, :, 0] / torch.tensor([80, 50])
    for value, largest in ((degrees, 30), (shift[:, 0], 0.1), (shift[:, 1], 0.1)):
        assert stats.kstest(value.numpy() / largest, "uniform", (-1, 2)).pvalue > P
    both = np.unique(mirror.numpy(), axis=0, return_counts=True)[1]
    assert stats.chisquare(both).pvalue > P


def test_the_earlier_papers_preset_turns_and_flips_only():
    early = PRESETS["lee2023"]
    placed = next(iter(place(sums_along_rows(bones_of(*[shaft()] * 50)), seeded(), SMALL[0], early, 0.1)))
    assert (placed.pose[:, :, 2] == 0).all() and (placed.light == 1).all()
    assert placed.pose[:, 0, 0].abs().min() >= np.cos(np.deg2rad(20)) - 1e-6


@pytest.mark.parametrize("light", [(0.5, 1.0), (1.5, 0.5), (0.7, 1.5), (1.0, 1.0)])
def test_light_is_torchvisions_where_all_is_bone(light):
    view = torch.rand(1, 1, 20, 20, generator=seeded()) * 0.9 + 0.1
    expected = tv.adjust_contrast(tv.adjust_brightness(view[0], light[0]), light[1])[None]
    torch.testing.assert_close(relight(view, torch.tensor([light])), expected)


def test_light_leaves_the_background_black():
    bones = bones_of(disc())
    full = torch.tensor([[0, 0, 48, 48]])
    placed = Placement(UPRIGHT, full, torch.ones(1), torch.tensor([[1.4, 0.5]]))
    view = render(bones, placed, 48)
    away = torch.nn.functional.max_pool2d(bones, 3, 1, 1) == 0
    assert (view[away] == 0).all() and (view[bones > 0] > 0.2).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_views_have_the_shape_the_range_and_the_seed(preset):
    bones = bones_of(shaft(), disc(), shaft(lean=-0.5))
    views = multi_crop(bones, seeded(3), SMALL, PRESETS[preset])
    assert [tuple(v.shape) for v in views] == [(2, 3, 1, 32, 32), (4, 3, 1, 16, 16)]
    assert all(v.dtype == torch.float32 and v.min() >= 0 and v.max() <= 1 for v in views)
    again, other = (
        multi_crop(bones, seeded(3), SMALL, PRESETS[preset]),
        multi_crop(bones, seeded(4), SMALL, PRESETS[preset]),
    )
    assert all(torch.equal(a, b) for a, b in zip(views, again, strict=True))
    assert not torch.equal(views[0], other[0]) and not torch.equal(views[0][0], views[0][1])
    assert len(multi_crop(bones[:1], seeded(), SMALL)[1]) == 4  # a batch of one


def test_default_crops_are_the_papers():
    assert [(c.n, c.size) for c in CROPS] == [(2, 224), (4, 96)]


# ---- bad input


def test_an_empty_bone_is_named():
    bones = bones_of(shaft(), disc())
    bones[1] = 0
    with pytest.raises(ValueError, match="bone image 1: every pixel is zero"):
        multi_crop(bones, seeded(), SMALL)


def test_too_little_bone_is_explained():
    speck = torch.zeros(48, 48, dtype=torch.bool)
    speck[24, 24] = True
    with pytest.raises(ValueError, match=r"bone image 2: 0\.04% .* 4,096 crops of 14% to 100% .* holds 10%: cut"):
        multi_crop(bones_of(shaft(), disc(), speck), seeded(), SMALL)
    assert multi_crop(bones_of(speck), seeded(), SMALL, min_content=0)[0].shape == (2, 1, 1, 32, 32)


@pytest.mark.parametrize(
    ("bones", "message"),
    [
        (torch.rand(2, 20, 20), "shape"),
        (torch.ones(2, 1, 20, 20, dtype=torch.uint8), "float32"),
        (255 * torch.rand(2, 1, 20, 20), "within"),
        (torch.full((2, 1, 20, 20), torch.nan), "NaN"),
    ],
)
def test_what_is_no_bone_image_is_refused(bones, message):
    with pytest.raises(ValueError, match=message):
        multi_crop(bones, seeded(), SMALL)


def test_most_tries_is_a_whole_number_of_rounds():
    assert multicrop.MAX_TRIES % multicrop.AT_ONCE == 0
