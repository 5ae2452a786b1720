"""One look for every figure: readable without colour, and on a white card in dark mode."""

from __future__ import annotations

import matplotlib as mpl
import seaborn as sns

from osteolib.cohorts import LABELS

# Okabe and Ito's palette, safe for the common colour-vision deficiencies; each class also has a marker of its own
COLOURS = dict(zip(LABELS, ("#0072B2", "#E69F00", "#D55E00"), strict=True))
MARKERS = dict(zip(LABELS, "os^", strict=True))
INK, GREY = "#222222", "#767676"


def use_style() -> None:
    """Set matplotlib's defaults for the book."""
    sns.set_theme(style="ticks", context="notebook", font_scale=0.8)
    mpl.rcParams.update(
        {
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.edgecolor": INK,
            "text.color": INK,
            "axes.labelcolor": INK,
            "legend.frameon": False,
            "text.parse_math": False,  # a label may hold an identifier with a dollar sign
        }
    )
