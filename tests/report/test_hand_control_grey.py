import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from osteolib.report import hand_control_grey as page
from osteolib.report.hand_ssl import FILMED

USES = "hand-rsna"

RNG = np.random.default_rng(0)
AGE = np.linspace(24, 190, 60)
SMALL = np.arange(60) < 35
RANDOM = ["random encoder 1", "random encoder 2"]
PREDICTED = {
    **{name: AGE + RNG.normal(0, 10, 60) for name in RANDOM},
    **{name + FILMED: RNG.permutation(AGE) for name in RANDOM},
    page.PHOTOGRAPHS: AGE + RNG.normal(0, 60, 60),
    page.PHOTOGRAPHS + FILMED: AGE + RNG.normal(0, 60, 60),
}


def test_ranks_are_set_against_grey_levels_of_the_same_encoders_and_films(run):
    found = page.compare_grey(AGE, PREDICTED, RANDOM, SMALL, 200, 0)
    for films, rows in (("all films", slice(None)), ("smaller format", SMALL)):
        mean = [np.mean([spearmanr(AGE[rows], PREDICTED[name + end][rows]).statistic for name in RANDOM])
                for end in ("", FILMED)]  # fmt: skip
        assert found[films].estimate(page.OTHERS)[0] == pytest.approx(mean[0])
        assert found[films].difference(page.OTHERS, page.OTHERS + FILMED)[0] == pytest.approx(mean[0] - mean[1])
    page.show_grey(run, found, len(RANDOM))
    assert run.facts["grey_clear"] == page.OTHERS and run.facts["grey_worse"] == ""
    assert len(pd.read_csv(run.folder / "grey.csv")) == 4
    assert any(row["metric"].startswith("bone age, spearman, ") for row in run.rows)
