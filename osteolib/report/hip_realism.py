"""How like real ones are the phantom's femurs? Geometry beside DXA and the literature, grain beside real knees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.hip.drawn import estimated_cortex
from osteolib.phantoms.hip.shapes import HEAD_RADIUS
from osteolib.phantoms.realism import radial_spectrum, spectral_slope
from osteolib.radiograph import normalise_intensity, resize
from osteolib.report import hip_films
from osteolib.report.show import figure, table, with_ci
from osteolib.runs import Run

NECK_SHAFT = 128  # degrees of the drawn femur


def geometry(hips: pd.DataFrame, films: pd.DataFrame, necks: pd.DataFrame) -> pd.DataFrame:
    """Each phantom hip's width of the neck and cortex as DXA would estimate it, head and angle as drawn.

    ``films`` planned for ``hips``, a person's right hip before the left; ``necks`` in the same order.
    """
    own = hips.reset_index(drop=True).assign(
        neck_shaft=films[["neck_shaft_right", "neck_shaft_left"]].to_numpy().ravel()
    )
    return pd.DataFrame({
        "sex": own["sex"], "width of the neck, mm": necks["width_mm"],
        "cortex of the neck as DXA estimates it, mm": estimated_cortex(necks["bmd_g_cm2"], necks["width_mm"]),
        "diameter of the head, mm": 2 * HEAD_RADIUS * own["bone_scale"],
        "angle of neck and shaft, degrees": NECK_SHAFT + own["neck_shaft"],
    })  # fmt: skip


LITERATURE = (
    ("diameter of the head, mm", "men", "44.1", "141 dry bones, Gujarat (Kukadiya et al. 2014)"),
    ("diameter of the head, mm", "women", "39.3", "the same; cartilage adds about 2 mm"),
    ("angle of neck and shaft, degrees", "both", "129.2", "375 dry bones (Toogood et al. 2009)"),
    ("angle of neck and shaft, degrees", "both", "122.2 (IQR 117.9 to 125.6)", "1,070 by CT in 3-D, doi in the text"),
)
"""Published mean values with their sources; what is measured where differs, so they are a scale and no target."""


def show_geometry(run: Run, phantom: pd.DataFrame, korea: pd.DataFrame) -> None:
    """Phantom, real and published geometry of the femur, a row each with its kind."""
    width, cortex, *rest = phantom.columns[1:]
    real = pd.DataFrame({"sex": korea["sex"], width: 10 * korea["neck_width_cm"],
                         cortex: 10 * korea["neck_cortical_thickness_cm"]})  # fmt: skip
    rows, facts = [], {width: "width", cortex: "cortex"}
    for name in (width, cortex, *rest):
        for kind, people in (("phantom", phantom), ("real, 969 Koreans", real)):
            for code, who in (("F", "women"), ("M", "men")) if name in people else ():
                low, middle, high = people.loc[people["sex"] == code, name].dropna().quantile((0.05, 0.5, 0.95))
                rows.append((name, who, kind, with_ci(middle, low, high, ".1f"), "median (5 to 95 %)"))
                if name in facts:
                    run.fact(**{f"{facts[name]}_{code}_{kind.split(',')[0]}": middle})
        rows += [(name, who, "published", value, source) for what, who, value, source in LITERATURE if what == name]
    shown = pd.DataFrame(rows, columns=["measure", "of", "kind", "value", "what it is"])
    table(run, "geometry", shown, "Geometry of the femur: simulated, measured in real people by DXA, and published "
          "means", index=False, folded="Measure by measure")  # fmt: skip


def prepared(pixels: NDArray, size: int = 160) -> NDArray[np.uint8]:
    """A square of the middle of a picture, windowed and reduced alike whatever it shows."""
    side = min(pixels.shape)
    top, left = ((n - side) // 2 for n in pixels.shape)
    return resize(normalise_intensity(pixels[top : top + side, left : left + side]), size)


def show_slopes(run: Run, pictures: Mapping[str, Sequence[NDArray]]) -> None:
    """Spectral slope of each kind of picture: the first are the phantom's."""
    slopes = {name: [spectral_slope(*radial_spectrum(prepared(p))) for p in some] for name, some in pictures.items()}
    figure(run, "slopes", hip_films.slopes_figure(slopes), alt="Spectral slopes of simulated hips and of real knees, a "
           "dot a picture, medians marked.")  # fmt: skip
    hip, knee = (np.array(values) for values in list(slopes.values())[:2])
    low, high = np.quantile(knee, (0.05, 0.95))
    run.fact(slope_hip=np.median(hip), slope_knee=np.median(knee), slope_low=low, slope_high=high, n_knees=len(knee),
             slope_inside=100 * np.mean((hip >= low) & (hip <= high)))  # fmt: skip
