import torch

from osteolib.ssl.pretrain import Recipe
from osteolib.views import multicrop
from osteolib.views.multicrop import Crop, draw_views, multi_crop, sums_along_rows
from osteolib.views.still import PRESETS, STILL


def test_it_is_one_preset_more_for_all_who_read_them():
    assert PRESETS is multicrop.PRESETS and set(PRESETS) == {"lee2025", "lee2023", STILL}
    assert Recipe(augmentation=STILL).augmentation == STILL


def test_two_views_differ_by_their_crop_alone():
    bone = torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.1
    crop = Crop(2, 24, (0.3, 1.0))
    placed = draw_views(sums_along_rows(bone), torch.Generator().manual_seed(1), crop, PRESETS[STILL], 0.1)
    assert (placed.light == 1).all() and (placed.pose == torch.tensor([[1.0, 0, 0], [0, 1, 0]])).all()
    (views,) = multi_crop(bone, torch.Generator().manual_seed(1), (crop,), PRESETS[STILL])
    for view, (top, left, height, width) in zip(views[:, 0], placed.boxes.tolist(), strict=True):
        cut = bone[..., top : top + height, left : left + width]
        inner = torch.nn.functional.interpolate(cut, (24, 24), mode="bilinear", align_corners=False)[0]
        torch.testing.assert_close(view[:, 1:-1, 1:-1], inner[:, 1:-1, 1:-1], atol=1e-5, rtol=0)
    whole = Crop(1, 48, (1.0, 1.0), (1.0, 1.0))
    (same,) = multi_crop(bone, torch.Generator().manual_seed(1), (whole,), PRESETS[STILL])
    torch.testing.assert_close(same[0], bone, atol=1e-5, rtol=0)
