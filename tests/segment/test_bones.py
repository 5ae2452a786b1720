import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label

from osteolib.phantoms.hand.shapes import BONES
from osteolib.radiograph import resize
from osteolib.segment.bones import bone_images, cortical_percentage


def tube(percentage, px=0.2, angle=20.0, taper=0.1, radius=4.0, length=60.0, blur=0.0, noise=0.0, spacing=None):
    """Image and mask of a tapered tube with flared ends, by chords 2 sqrt(R^2 - v^2); lengths in mm."""
    step = np.array(spacing or (px, px))
    rows, columns = (80 / step).astype(int)
    r, c = np.indices((rows, columns))
    y, x, turn = (r - rows / 2 + 0.3) * step[0], (c - columns / 2 - 0.2) * step[1], np.radians(angle)
    u, v = y * np.cos(turn) + x * np.sin(turn), x * np.cos(turn) - y * np.sin(turn)
    local = radius * (1 + taper * u / length)
    outer, inner = local * (1 + 0.6 * (2 * np.abs(u) / length) ** 4), local * (1 - percentage)
    long = np.abs(u) < length / 2
    chord = [2 * np.sqrt(np.clip(a**2 - v**2, 0, None)) for a in (outer, inner)]
    image = 1 + (chord[0] - 0.9 * chord[1]) * long
    image = gaussian_filter(image, blur / px) if blur else image
    return image + np.random.default_rng(0).normal(0, noise, image.shape), (np.abs(v) < outer) & long


@pytest.mark.parametrize("percentage", [0.3, 0.45, 0.6, 0.75])
@pytest.mark.parametrize("angle", [-35, 0, 80])
def test_a_sharp_tube_gives_its_own_percentage(percentage, angle):
    measured = cortical_percentage(*tube(percentage, px=0.1, angle=angle), (0.1, 0.1))
    assert measured.reason == "" and measured.unit == "mm"
    assert measured.percentage == pytest.approx(percentage, abs=0.015)
    assert measured.outer_width == pytest.approx(8, abs=0.05)
    assert measured.canal_width == pytest.approx(8 * (1 - percentage), abs=0.15)


def test_the_half_depth_point_alone_reads_high_as_the_projection_says():
    """R = 1, r = 0.5: half-way between 2 sqrt(0.75) and 2 * 0.5 lies v = 0.456."""
    v = np.linspace(0, 0.5, 100_001)
    path = 2 * (np.sqrt(1 - v**2) - np.sqrt(0.25 - v**2))
    apparent = v[np.argmin(np.abs(path - (path[0] + path[-1]) / 2))]
    measured = cortical_percentage(*tube(0.5, px=0.05, angle=0, taper=0), (0.05, 0.05))
    assert measured.half_depth == pytest.approx(1 - apparent, abs=0.01)
    assert measured.percentage == pytest.approx(0.5, abs=0.01)


def test_blur_noise_and_a_coarse_film_cost_a_few_points_and_keep_the_order():
    for px in (0.2, 0.4):
        measured = [cortical_percentage(*tube(p, px, blur=0.15, noise=0.15), (px, px)).percentage
                    for p in (0.35, 0.5, 0.65)]  # fmt: skip
        assert measured == sorted(measured)
        assert measured == pytest.approx([0.35, 0.5, 0.65], abs=0.06)


def test_grey_levels_may_be_stretched_and_pixels_need_not_be_square():
    image, mask = tube(0.5, px=0.1)
    plain = cortical_percentage(image, mask)
    assert plain == cortical_percentage(100 + 7 * image, mask) or plain.percentage == pytest.approx(
        cortical_percentage(100 + 7 * image, mask).percentage
    )
    assert plain.unit == "px" and plain.outer_width == pytest.approx(80, abs=0.5)
    oblong = cortical_percentage(*tube(0.5, spacing=(0.2, 0.1)), (0.2, 0.1))
    assert (oblong.percentage, oblong.outer_width) == pytest.approx((0.5, 8), abs=0.03)


def test_what_cannot_be_measured_is_nan_with_a_reason():
    image, mask = tube(0.5)
    disc = np.hypot(*(np.indices(mask.shape) - 200)) < 50
    solid = tube(1.0)
    broken = mask & (np.abs(np.indices(mask.shape)[0] - 200) > 60)
    for reason, arguments in {
        "empty": (image, np.zeros_like(mask)),
        "edge of the image": (image, np.ones_like(mask)),
        "times as long": (image, disc),
        "leaves it": (image, broken),
        "no canal": (np.full_like(image, 0.5), mask),
        "no canal between": solid,
        "inverted: no canal": (-image, mask),
        "pixels across": tube(0.5, px=1.0),
    }.items():
        measured = cortical_percentage(*arguments)
        assert reason.removeprefix("inverted: ") in measured.reason
        assert np.isnan([measured.percentage, measured.half_depth, measured.outer_width, measured.canal_width]).all()
    lone = np.zeros_like(mask)
    lone[30, 40] = True
    assert np.isnan(cortical_percentage(image, lone).percentage)


def hand():
    """A label map of seven upright rods; the forearm's run off the lower edge."""
    labels = np.zeros((200, 160), np.uint8)
    labels[140:, 40:52], labels[130:, 70:90] = 1, 2
    for number in range(3, 8):
        labels[30:100, 20 * number - 30 : 20 * number - 20] = number
    return np.random.default_rng(0).uniform(0.2, 1, labels.shape).astype(np.float32), labels


def test_seven_bones_by_hadamard_product_and_square_crop():
    pixels, labels = hand()
    bones = bone_images(pixels, labels, 77)
    assert tuple(bones.images) == BONES and not bones.missing
    top, left, side = bones.boxes["M2"]
    assert (top, left, side) == (26, 16, 77)  # 70 rows * 1.1; rows 30-100 and columns 50-60, about their middle
    expected = (pixels * (labels == 4))[top : top + side, left : left + side]
    np.testing.assert_allclose(bones.images["M2"], expected, atol=1e-6)  # at its own size: no resampling
    assert bones.images["radius"].shape == (77, 77)  # its square goes past the film, where there is nothing
    assert (bones.images["radius"] > 0).sum() == pytest.approx(70 * 20, rel=0.1)
    assert all(image.min() >= 0 and image.max() <= 1 for image in bones.images.values())


def test_missing_bones_are_reported_and_never_made_up():
    pixels, labels = hand()
    labels[labels == 1] = 0
    labels[labels == 3] = 0
    labels[30:33, 31:34] = 3  # a speck
    labels[60:75][labels[60:75] == 5] = 0  # a ring across M3
    labels[:100][:, 0:4] = 0
    labels[0:30, 110:120] = 7  # M5 runs to the upper edge
    pixels[labels == 6] = 0
    bones = bone_images(pixels, labels, 32)
    assert tuple(bones.images) == ("radius", "M2")
    assert [bones.missing[name].split()[0] for name in ("ulna", "M1", "M3", "M4", "M5")] == [
        "absent", "0.03%", "in", "the", "cut",
    ]  # fmt: skip


def plainly(pixels, labels, size):
    """The same rules on whole frames: images, boxes and who is missing."""
    images, boxes, missing = {}, {}, []
    for number, name in enumerate(BONES, 1):
        pieces, n = label(labels == number)
        areas = [(pieces == piece).sum() for piece in range(1, n + 1)]
        whole = pieces == 1 + int(np.argmax(areas)) if n else np.zeros(labels.shape, bool)
        rim = np.ones_like(whole)
        rim[1:-1, 1:-1] = False
        off = name.startswith("M") and (whole & rim).any()
        if not 0.001 <= whole.mean() <= 0.25 or whole.sum() < 0.7 * sum(areas) or off or np.ptp(pixels[whole]) == 0:
            missing.append(name)
            continue
        rows, columns = (np.flatnonzero(whole.any(axis)) for axis in (1, 0))
        (top, bottom), (left, right) = (rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)
        side = int(np.ceil(1.1 * max(bottom - top, right - left)))
        top, left = (top + bottom - side) // 2, (left + right - side) // 2
        square = np.pad(pixels * whole, side)[top + side : top + 2 * side, left + side : left + 2 * side]
        images[name], boxes[name] = resize(square.astype(np.float32), size), (top, left, side)
    return images, boxes, missing


@pytest.mark.parametrize("seed", range(12))
def test_working_in_boxes_changes_nothing(seed):
    """Blobs of all kinds: broken, at the edge, absent, too small; and the rods."""
    rng = np.random.default_rng(seed)
    noise = gaussian_filter(rng.normal(size=(8, 90, 70)), (0, 7, 7))
    pixels, labels = rng.uniform(size=(90, 70)).astype(np.float32), noise.argmax(0).astype(np.uint8)
    if seed > 5:
        pixels, labels = hand()
        labels[gaussian_filter(rng.normal(size=labels.shape), 4) > 0.04] = 0
    found = bone_images(pixels, labels, 24)
    images, boxes, missing = plainly(pixels, labels, 24)
    assert list(found.images) == list(images) and found.boxes == boxes and list(found.missing) == missing
    for name, image in images.items():
        np.testing.assert_array_equal(found.images[name], image)


def test_islands_do_not_enter_the_picture():
    pixels, labels = hand()
    labels[120:124, 5:9] = 4
    clean = bone_images(*hand(), 64)
    np.testing.assert_array_equal(bone_images(pixels, labels, 64).images["M2"], clean.images["M2"])


@pytest.mark.parametrize("value", [0, 1, 4])
def test_empty_and_full_label_maps_have_no_bones(value):
    bones = bone_images(np.ones((64, 64)), np.full((64, 64), value), 32)
    assert not bones.images and tuple(bones.missing) == BONES


def test_frames_that_differ_are_named():
    for pixels in (np.ones((4, 5)), np.full((4, 4), np.nan), np.ones(4)):
        with pytest.raises(ValueError, match="one shape"):
            cortical_percentage(pixels, np.ones((4, 4), bool))
        with pytest.raises(ValueError, match="one shape"):
            bone_images(pixels, np.ones((4, 4), int), 32)
