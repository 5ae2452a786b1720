"""Values that can be, and are not what the column says: another unit, another quantity, a sign that was lost.

A value outside its range is refused, and :func:`likely_unit` says what it may be. A whole column that is possible and
yet strange is a doubt (:func:`doubts`): told with every use of the cohort, and decided by whoever knows the people.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

LIKELY = {  # column: (low, high, what a value between them may be), the first that fits
    "age_years": [(1900, 2100, "a year of birth; give the age"), (19_000_101, 21_001_231, "a birthday; give the age"),
                  (120, 1440, "an age in months; divide by 12"), (1440, 45_000, "an age in days; divide by 365.25")],
    "bmi_kg_m2": [(1.2, 2.2, "a height in metres"), (2.2, 8, "a misplaced decimal point"),
                  (120, 220, "a height in centimetres, or a misplaced decimal point"),
                  (100, 1000, "a misplaced decimal point")],
    "t_score": [(-80, -8, "a misplaced decimal point"), (15, 200, "a percentage of young adults, not a T-score"),
                (6, 15, "a misplaced decimal point"), (200, 2000, "a BMD in mg/cm2, not a T-score")],
    "bmd_g_cm2": [(50, 3000, "a BMD in mg/cm2; divide by 1000")],
}  # fmt: skip

CODES = {"sex": "write F or M", "label": "write normal, osteopenia or osteoporosis"}

FEWEST = 3  # values of which a column may be called strange


def likely_unit(name: str, value: Any) -> str:
    """What a value that its column cannot hold may be, ``": perhaps ..."``, or nothing."""
    if name in CODES and str(value) in "0123":
        return f": codes do not mean the same everywhere; {CODES[name]}"
    try:
        number = float(value)
    except (TypeError, ValueError):
        return ""
    return next((f": perhaps {what}" for low, high, what in LIKELY.get(name, ()) if low <= number <= high), "")


def doubts(people: pd.DataFrame) -> list[str]:
    """Sentences about columns whose values are possible one by one and yet strange together.

    Parameters
    ----------
    people
        Some of ``t_score, age_years, bmi_kg_m2`` as numbers, one row per film or person.
    """
    found = []

    def values(name: str) -> pd.Series:
        known = people[name].dropna() if name in people else pd.Series(dtype=float)
        return known if len(known) >= FEWEST else known[:0]

    def span(known: pd.Series) -> str:
        return f"{known.min():g} to {known.max():g}"

    if len(t := values("t_score")) and (t > 0).all():
        bmd = ", or are they BMD in g/cm2" if t.between(0.2, 1.8).all() else ""
        found.append(f"All {len(t)} T-scores lie above 0 ({span(t)}), so nobody has bone loss: were minus signs "
                     f"lost{bmd}?")  # fmt: skip
    if len(ages := values("age_years")) and ages.median() < 18:
        found.append(f"Half of the ages lie below 18 years ({span(ages)}): are they years?")
    if len(bmi := values("bmi_kg_m2")) and not 15 <= bmi.median() <= 45:
        found.append(f"The middle BMI is {bmi.median():g} kg/m2 ({span(bmi)}): is the column a weight or a height?")
    return found
