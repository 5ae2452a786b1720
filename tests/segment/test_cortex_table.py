import numpy as np
import pandas as pd
import pytest

from osteolib.segment.bones import cortical_percentage
from osteolib.segment.cortex_table import M2, cortex_table, reasons_in_words


def shaft(percentage, px=0.1):
    """A straight tube, 8 mm wide and 40 mm long: image by chords, and its mask."""
    v = (np.arange(160) - 79.5) * px
    chord = [2 * np.sqrt(np.clip(r**2 - v**2, 0, None)) for r in (4, 4 * (1 - percentage))]
    image, mask = np.ones((520, 160)), np.zeros((520, 160), bool)
    image[60:460] += chord[0] - chord[1]
    mask[60:460] = np.abs(v) < 4
    return image, mask


def test_a_row_a_hand_in_per_cent_with_the_reason_where_nothing_was_read():
    image, mask = shaft(0.5)
    table = cortex_table([image, image], [mask * M2, mask * 0], [0.1, 0.1])
    alone = cortical_percentage(image, mask, (0.1, 0.1))
    assert table.loc[0, "percentage"] == pytest.approx(100 * alone.percentage) == pytest.approx(50, abs=1.5)
    assert table.loc[0, ["shaft_mm", "canal_mm"]].tolist() == pytest.approx([8, 4], abs=0.15)
    assert table.loc[0, "reason"] == "" and "empty" in table.loc[1, "reason"]
    assert np.isnan(table.loc[1, "percentage"])


def test_reasons_that_differ_in_a_number_alone_are_counted_together():
    said = pd.Series(["3.5 pixels across", "11 pixels across", "", "no canal"])
    assert reasons_in_words(said) == "2 × … pixels across; 1 × no canal"
    assert reasons_in_words(pd.Series(["", ""])) == "none"
    assert reasons_in_words(pd.Series([], dtype=str)) == "none"
