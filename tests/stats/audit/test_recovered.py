import numpy as np
import pytest
from scipy.stats import binomtest
from scipy.stats import t as t_distribution

from osteolib.stats.audit import ConfusionMatrix, printed
from osteolib.stats.audit.recovered import gains, moved_digits, smallest_paired_p, step_of_totals


def test_what_lies_between_two_running_totals_adds_up_to_the_second():
    first, second = ConfusionMatrix(5, 2, 1, 8), ConfusionMatrix(3, 0, 4, 9)
    total = ConfusionMatrix(8, 2, 5, 17)
    assert step_of_totals(total, first) == second
    with pytest.raises(ValueError, match=r"tp, fn, tn shrink .* no running totals"):
        step_of_totals(first, total)


def test_the_least_p_is_that_of_changes_in_one_direction():
    """Six more right and none lost: the sign test of 6 of 6 has 2 / 64; Student's t of six ones among twenty."""
    old, new = ConfusionMatrix(4, 4, 6, 6), ConfusionMatrix(8, 2, 2, 8)
    assert gains(new, old) == (4, 2)
    mcnemar, paired = smallest_paired_p(new, old)
    assert mcnemar == pytest.approx(2 / 64) == pytest.approx(binomtest(6, 6).pvalue)
    t = np.sqrt(19 * 0.3 / 0.7)  # mean 0.3 and variance 0.3 * 0.7 of twenty zeros and ones
    assert paired == pytest.approx(2 * t_distribution.sf(t, 19))
    with pytest.raises(ValueError, match="not of one test set"):
        gains(ConfusionMatrix(1, 1, 1, 1), new)


def test_a_control_row_has_moved_digits_and_no_f1():
    row = {name: printed(text) for name, text in (("accuracy", "82.65 %"), ("ppv", "85.83 %"), ("f1", "81.42 %"))}
    rng = np.random.default_rng(0)
    assert moved_digits(row, 0, rng) == {"accuracy": row["accuracy"], "ppv": row["ppv"]}
    moved = [moved_digits(row, 5, rng)["accuracy"].text for _ in range(300)]
    assert set(moved) == {f"{82.60 + k / 100:.2f} %" for k in range(11)}
