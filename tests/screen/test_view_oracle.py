"""Views go back to where they came from; planted tubes are read from them, or nothing where their middle is cut."""

import numpy as np
import pytest
import torch

from osteolib.screen.view_oracle import KINDS, PAPERS, STILL, middle_of_shaft, pasted_back, read_views
from osteolib.segment.bones import cortical_percentage
from osteolib.views.multicrop import Augmentation, Crop, draw_views, render, sums_along_rows


def tubes(shares):
    """Bones of 256 pixels, 60 wide and 220 long: the projection of tubes with these cortical percentages."""
    x = (np.arange(256) - 127.5) / 30
    chord = np.sqrt(np.clip(1 - x**2, 0, None))
    rows = [0.2 + 0.7 * (chord - np.sqrt(np.clip((1 - c) ** 2 - x**2, 0, None))) for c in shares]
    bones = np.zeros((len(shares), 1, 256, 256), np.float32)
    for bone, row in zip(bones, rows, strict=True):
        bone[0, 18:238] = np.where(np.abs(x) < 1, row, 0)
    return torch.from_numpy(bones)


@pytest.mark.parametrize("changes", [{}, {"degrees": 30, "flip": 0.5, "translation": 0.1}])
def test_a_view_pasted_back_is_the_bone_itself_where_it_covers_it(changes):
    bones = torch.nn.functional.avg_pool2d(tubes([0.4, 0.6]), 9, 1, 4)  # smooth: two samplings blur a little
    placed = draw_views(sums_along_rows(bones), torch.Generator().manual_seed(1), Crop(1, 256, (0.5, 0.9)),
                        Augmentation(**(STILL | changes)), 0.1)  # fmt: skip
    back, covered = pasted_back(render(bones, placed, 256), placed, 256)
    assert 0.3 < covered.float().mean() < 0.95
    assert ((back - bones[:, 0]).abs()[covered]).max() < 0.03


def test_the_middle_of_an_upright_shaft_is_a_tenth_of_its_rows():
    mask = tubes([0.5])[0, 0].numpy() > 0
    rows = np.flatnonzero(middle_of_shaft(mask).any(1))
    assert abs(len(rows) - 22) <= 1 and abs(rows.mean() - 127.5) <= 1


def test_planted_tubes_are_read_from_views_and_a_crop_without_the_middle_says_nothing():
    shares = np.linspace(0.35, 0.75, 9)
    bones = tubes(shares)
    direct = [cortical_percentage(bone[0].numpy(), bone[0].numpy() > 0).percentage for bone in bones]
    found = read_views(bones, [128], 0)
    assert set(found["kind"]) == set(KINDS) and len(found) == 9 * len(KINDS)
    for kind in ("nothing", "turn and mirror"):
        read = found.loc[found["kind"] == kind, "percentage"].to_numpy()
        assert np.abs(read - direct).max() < 0.03 and np.abs(read - shares).max() < 0.05
    local = found.loc[found["kind"] == "crop of 5 to 14 %", "percentage"]
    assert local.isna().mean() > 0.5  # a window of a third of the side seldom holds all of a shaft's middle
    assert KINDS["light"][0]["brightness"] == PAPERS["brightness"] == 0.5
