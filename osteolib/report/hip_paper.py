"""What the hip paper printed, under short names, for the pages of its chapter."""

from __future__ import annotations

from osteolib.report.published import load_published
from osteolib.stats.agreement import Z_LIMIT

PAPER = "chen2024_hip"


def published_hip() -> dict[str, float]:
    """The paper's values without its name; ``age.sd`` and ``tscore.sd`` beside the means, ``ba.sd`` of differences."""
    rows = load_published(PAPER).set_index("published_id")
    rows.index = rows.index.str.removeprefix(f"{PAPER}.")
    values = rows["value"].to_dict()
    spreads = {f"{name}.sd": rows.loc[f"{name}.mean", "spread"] for name in ("age", "tscore")}
    return values | spreads | {"ba.sd": (values["ba.upper"] - values["ba.lower"]) / (2 * Z_LIMIT)}
