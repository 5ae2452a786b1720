from pathlib import Path

import pytest
import torch

from osteolib.screen.starts import available_start
from osteolib.screen.strnet import BACKBONES


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def test_weights_that_are_not_in_the_cache_are_replaced_by_those_that_install(cache):
    assert available_start("resnet50", "imagenet") == ("efficientnet_lite0", "imagenet")
    (cache / Path(BACKBONES["resnet50"][1].url).name).write_bytes(b"")
    assert available_start("resnet50", "imagenet") == ("resnet50", "imagenet")
    assert available_start("resnet18", "imagenet") == ("efficientnet_lite0", "imagenet")


@pytest.mark.parametrize("asked", [("resnet18", "none"), ("efficientnet_lite0", "imagenet"), ("resnet50", "my.pt")])
def test_what_needs_no_cache_stays_as_it_was_asked_for(cache, asked):
    assert available_start(*asked) == asked
