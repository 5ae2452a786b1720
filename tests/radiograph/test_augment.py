import pytest
import torch

from osteolib.radiograph.augment import augment, mask_borders, warp

STILL = {"flip": 0, "degrees": 0, "translation": 0, "scaling": 0, "border": 0}


def noise(n=4, height=40, width=40):
    return torch.rand(n, 1, height, width, generator=torch.Generator().manual_seed(1))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def moved(images, mirrored=False, degrees=0.0, shift=(0.0, 0.0), scale=1.0):
    n = len(images)
    return warp(
        images, torch.tensor([mirrored] * n), torch.tensor([degrees] * n), torch.tensor([shift] * n),
        torch.tensor([scale] * n),
    )  # fmt: skip


def centre_of_mass(image):
    """(x, y) from the middle of the frame, in pixels to the right and down."""
    height, width = image.shape
    y, x = torch.meshgrid(torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2, indexing="ij")
    return torch.stack([(image * x).sum(), (image * y).sum()]) / image.sum()


def test_nothing_happens_when_every_range_is_zero():
    images = noise(height=31, width=50)
    torch.testing.assert_close(augment(images, seeded(), **STILL), images, atol=1e-5, rtol=0)


def test_a_certain_flip_mirrors_left_and_right():
    images = noise(height=30)
    torch.testing.assert_close(augment(images, seeded(), **STILL | {"flip": 1}), images.flip(3), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("mirrored", "degrees", "shift", "scale"),
    [
        (False, 0, (0.1, -0.05), 1),
        (False, 8, (0, 0), 1),
        (False, 0, (0, 0), 1.2),
        (True, -25, (0.05, 0.1), 0.8),
    ],
)
def test_a_point_goes_where_the_closed_form_says(mirrored, degrees, shift, scale):
    """x -> k R(angle) F x + t, also where a frame is not square; the blob is wide enough for bilinear sampling."""
    height, width = 100, 160
    y, x = torch.meshgrid(torch.arange(height) - 49.5, torch.arange(width) - 79.5, indexing="ij")
    start = torch.tensor([30.0, -12.0])
    blob = torch.exp(-((x - start[0]) ** 2 + (y - start[1]) ** 2) / 18)
    angle = torch.deg2rad(torch.tensor(float(degrees)))
    rotation = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    mirror = torch.tensor([-1.0 if mirrored else 1.0, 1.0])
    expected = scale * rotation @ (mirror * start) + torch.tensor(shift) * torch.tensor([width, height])
    result = moved(blob[None, None], mirrored, float(degrees), tuple(map(float, shift)), float(scale))[0, 0]
    torch.testing.assert_close(centre_of_mass(result), expected, atol=0.02, rtol=0)


def test_strips_hold_the_median_and_the_interior_is_untouched():
    images = noise(2, 20, 30)
    strips = torch.tensor([[1, 2, 3, 4], [0, 0, 0, 0]])
    result = mask_borders(images, strips)
    assert torch.equal(result[1], images[1])
    assert torch.equal(result[0, :, 1:18, 3:26], images[0, :, 1:18, 3:26])
    outside = torch.ones(20, 30, dtype=torch.bool)
    outside[1:18, 3:26] = False
    assert (result[0, 0][outside] == images[0].median()).all()


def test_strips_are_as_wide_and_as_frequent_as_asked():
    """4 % of 100 rows and 50 columns: 0 to 4 and 0 to 2 pixels, uniform, in half of 1,000 films."""
    images = noise(1000, 100, 50)
    result = augment(images, seeded(), **STILL | {"border": 0.04})
    changed = (result - images).abs() > 1e-4
    rows, columns = changed[:, 0, :, 25].float(), changed[:, 0, 50, :].float()
    top, left = rows[:, :50].sum(1), columns[:, :25].sum(1)
    assert (top.max(), left.max()) == (4, 2)
    assert changed.flatten(1).any(1).float().mean() == pytest.approx(0.5 * (1 - 1 / 5**2 / 3**2), abs=0.05)
    assert [(top == k).float().mean().item() for k in (1, 4)] == pytest.approx([0.1, 0.1], abs=0.035)
    assert (left == 2).float().mean().item() == pytest.approx(0.5 / 3, abs=0.04)


def test_each_film_is_drawn_for_itself_and_by_the_generator_alone():
    same = noise(1).expand(6, -1, -1, -1)
    result = augment(same, seeded())
    assert len({tuple(film.flatten().tolist()) for film in result}) == 6
    assert torch.equal(result, augment(same, seeded()))
    assert not torch.equal(result, augment(same, seeded(1)))
    edited = same.clone()
    edited[2] += 1
    others = [0, 1, 3, 4, 5]
    assert torch.equal(augment(edited, seeded())[others], result[others])


def test_no_pixel_is_invented():
    images = noise(50)
    result = augment(images, seeded())
    assert result.dtype == images.dtype and result.shape == images.shape
    assert (result.amin((1, 2, 3)) >= images.amin((1, 2, 3)) - 1e-5).all()
    assert (result.amax((1, 2, 3)) <= images.amax((1, 2, 3)) + 1e-5).all()
