"""The page on what hides the bone: a view without anything scores as chance, one with the truth as the truth."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from osteolib.report.hand_hidden_page import CURVES, auroc_of_views, compare_read, sizes_of

RNG = np.random.default_rng(0)
CORTEX = RNG.uniform(0.3, 0.7, 60)
ILL = (CORTEX + RNG.normal(0, 0.1, 60) < 0.45).astype(int)


def test_views_are_scored_by_what_they_hold():
    reads = pd.concat([
        pd.DataFrame({"kind": kind, "pixels": 64, "bone": range(60), "percentage": read})
        for kind, read in (("nothing", CORTEX), ("light", np.full(60, np.nan)), ("crop", np.where(ILL, np.nan, CORTEX)))
    ])  # fmt: skip
    found = auroc_of_views(reads, ILL, CORTEX, 200, 0).set_index("kind")
    assert found.loc["nothing", "auroc"] == roc_auc_score(ILL, -CORTEX) and found.loc["nothing", "r"] > 0.999
    assert found.loc["light", ["auroc", "readable"]].tolist() == [0.5, 0.0]
    assert found.loc["crop", "readable"] == 1 - ILL.mean()


def test_what_is_read_is_set_beside_the_same_people_as_filmed():
    noise = RNG.normal(0, 0.2, 60)
    said = {"as filmed, 64 px": CORTEX + 3 * noise, "ranked, 64 px": CORTEX + noise}
    read = {name: dict.fromkeys(("cortex", "window", "exposure"), (CORTEX, s)) for name, s in said.items()}
    found = compare_read(read, 200, 0)
    assert sizes_of(read) == ["64 px"]
    gain = found.differences.set_index("method").loc["ranked, 64 px: cortex", "value"]
    r = {name: np.corrcoef(CORTEX, s)[0, 1] for name, s in said.items()}
    assert abs(gain - (r["ranked, 64 px"] - r["as filmed, 64 px"])) < 1e-12 and gain > 0


def test_every_curve_of_the_figure_rises():
    grey = np.linspace(0, 1, 256)
    assert all((np.diff(curve(grey)) > 0).all() for curve in CURVES.values())
