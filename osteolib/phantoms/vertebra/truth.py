"""Known of a vertebra phantom beyond its pixels: masks, and the best that can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from osteolib.phantoms.settings import phantom_settings
from osteolib.phantoms.vertebra.hospitals import with_unlabelled
from osteolib.phantoms.vertebra.people import LATENTS, simulate
from osteolib.phantoms.vertebra.scanner import plan_scans

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer

MASK = {"cortex": 1, "spongy": 2, "posterior": 3}
"""Values of a mask: wall of the body (1.5 mm deep), what it encloses, posterior elements; 0 is everything else."""


class Attainable(NamedTuple):
    """Best values: ``auroc`` of osteoporosis; of the BMD that the machine reads ``r``, ``mae`` and ``sd`` in g/cm2.

    ``n``: labelled vertebrae that it was judged on.
    """

    auroc: float
    r: float
    mae: float
    sd: float
    n: int


def known_of(vertebrae: pd.DataFrame, device: bool = False) -> pd.DataFrame:
    """What the best reader knows: :data:`LATENTS`, the scanner, and if wished the maker of the DXA.

    Densities as logarithms, levels, scanners and makers as columns of 0 and 1. What else reaches the pixels (dose,
    offset, fat, noise) is drawn apart from bone and hospital.
    """
    known = vertebrae[list(LATENTS)].assign(
        spongy_mg_cm3=np.log(vertebrae.spongy_mg_cm3), cortex_mm=np.log(vertebrae.cortex_mm)
    )
    named = [known.pop("level_number").rename("level"), vertebrae.scanner, *([vertebrae.device] if device else [])]
    flags = [pd.get_dummies(column, prefix=column.name, dtype=float).iloc[:, 1:] for column in named]
    return pd.concat([known, *flags], axis=1)


def terms_of(known: pd.DataFrame) -> ColumnTransformer:
    """Squares and products of standardised columns of :func:`known_of`, but for those of the scanner; not fitted."""
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    multiplied = [name for name in known if not name.startswith("scanner")]
    return make_column_transformer(
        (make_pipeline(StandardScaler(), PolynomialFeatures(2)), multiplied), remainder="passthrough"
    )


def attainable(preset: str | None = None, device: bool = False, n_subjects: int = 20_000, seed: int = 0) -> Attainable:
    """What no model of the patches can pass: logistic and linear regression on all that reaches the pixels.

    On :func:`terms_of` what is known, fitted on half of the simulated people and
    judged on the labelled vertebrae of the other half; nothing is rendered.

    Parameters
    ----------
    device
        Give it the maker of the DXA as well, as the mixture of experts has it. In the preset ``"tpswav2025"`` that
        tells the hospital, and so how common osteoporosis is there; the scanner, which the pixels show, hints at it.
    """
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline

    settings = with_unlabelled(phantom_settings("vertebra-phantom"), 0)  # nothing is asked of them
    rows = simulate(settings, n_subjects, seed, preset)
    x = known_of(rows.join(plan_scans(settings, rows, preset, seed)), device)
    y, bmd = (rows.t_score <= -2.5).to_numpy(), rows.bmd_g_cm2.to_numpy()
    first = (rows.subject_id.astype("category").cat.codes % 2 == 0).to_numpy()
    terms = terms_of(x)
    chance = make_pipeline(terms, LogisticRegression(C=10, max_iter=200))
    line = make_pipeline(terms, LinearRegression())
    score = chance.fit(x[first], y[first]).predict_proba(x[~first])[:, 1]
    off = line.fit(x[first], bmd[first]).predict(x[~first]) - bmd[~first]
    r = np.corrcoef(off + bmd[~first], bmd[~first])[0, 1]
    return Attainable(
        float(roc_auc_score(y[~first], score)), float(r), float(np.abs(off).mean()), float(off.std()), len(off)
    )
