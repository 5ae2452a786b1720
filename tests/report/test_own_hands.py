from types import SimpleNamespace

import numpy as np
import pandas as pd
from PIL import Image

from osteolib.report import own_hands

USES = "my-hands"


def test_bones_that_the_network_names_are_counted_and_no_score_is_recorded(run, tmp_path, monkeypatch):
    for name in "abc":
        Image.fromarray(np.tile(np.arange(40, dtype=np.uint8) * 5, (50, 1))).save(tmp_path / f"{name}.png")
    films = pd.DataFrame({"image_id": list("cab"), "path": [str(tmp_path / f"{name}.png") for name in "cab"]})
    whole, part = np.arange(2000).reshape(50, 40) % 8, np.zeros((50, 40), int)
    asked = []

    def drawn(model, pixels, size, n_samples, seed):
        asked.extend(film.shape for film in pixels)
        return [whole.astype(np.uint8), part.astype(np.uint8)][: len(pixels)]

    monkeypatch.setattr(own_hands, "drawn_by", drawn)
    own_hands.show_outlines(run, SimpleNamespace(name="my-hands", subjects=films), None, 32, 2, 0, n_hands=2)
    assert asked == [(50, 40)] * 2
    assert (run.facts["n_own"], run.facts["all_named"]) == (2, 1)
    assert run.rows == [] and (tmp_path / "real.png").is_file()
