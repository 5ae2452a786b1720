"""Verdicts: the rules by which a number of ours is held against a published one.

The rules were written before any comparison (``book/verdicts.md``); the margins lie in ``book/margins.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from osteolib.runs import ROOT

MARGINS_FILE = ROOT / "book" / "margins.yaml"

VERDICTS = (
    "reproduced",
    "direction reproduced",
    "not reproduced",
    "inconclusive",
    "not attainable",
    "inconsistent as published",
    "setting",
    "data not here",
)
STATES = VERDICTS[4:]
"""Verdicts that need no number of ours: they say why there is none, or that the published one cannot be right."""

CLOSE = 1e-9
"""Slack for binary fractions: 0.98 - 0.93 must not exceed 0.05."""


class Margin(BaseModel):
    """How a metric is compared; see the head of ``book/margins.yaml`` for the rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    rule: Literal["estimate", "description", "count", "p_value"]
    margin: float | None = Field(gt=0)
    no_effect: float | None
    unit: str = ""
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> Margin:
        if (self.margin is not None) != (self.rule in ("estimate", "description")):
            raise ValueError(f"rule '{self.rule}' and margin {self.margin} do not go together")
        if self.rule == "p_value" and self.no_effect is None:
            raise ValueError("a p-value needs its level as 'no_effect'")
        return self


def load_margins(path: Path = MARGINS_FILE) -> dict[str, Margin]:
    """The margin of every metric, by its name.

    Raises
    ------
    ValueError
        The file breaks the schema; the message names the file, the metric and the field.
    """
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    margins = {}
    for metric, fields in content.items():
        try:
            margins[metric] = Margin(metric=metric, **fields)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"{path.name}, {metric}: {field} {first['msg']}".replace(":  ", ": ")) from error
    return margins


def verdict(
    published: float,
    ours: float,
    ci: tuple[float, float] | None,
    margin: Margin,
    *,
    decimals: int,
    kind: Literal["real", "phantom"] = "real",
) -> str:
    """One of the first four :data:`VERDICTS` for a published number and ours.

    Parameters
    ----------
    published, ours
        In one unit: fractions in [0, 1], T-scores, years ...
    ci
        Our 95 % interval; ``None`` or NaN where there is none.
    margin
        How this metric is compared.
    decimals
        With how many decimals ``published`` was printed: it stands for all numbers that round to it.
    kind
        What our number was measured on. A phantom confirms no clinical number, so only ``real`` is accepted.

    Raises
    ------
    ValueError
        ``kind`` is not ``real``, a number is not finite, or the interval is upside down.
    """
    if kind != "real":
        raise ValueError(f"a {kind} confirms no clinical number: record it as a method check")
    if not (np.isfinite(published) and np.isfinite(ours)):
        raise ValueError(f"{margin.metric}: published {published} and ours {ours} must both be finite numbers")
    low, high = ci if ci is not None else (np.nan, np.nan)
    if low > high:
        raise ValueError(f"{margin.metric}: the interval ({low}, {high}) is upside down")

    if margin.rule == "p_value":
        same = (published < margin.no_effect) == (ours < margin.no_effect)
        return "direction reproduced" if same else "not reproduced"
    if margin.rule == "count":
        return "reproduced" if ours == published else "not reproduced"

    if margin.rule == "estimate" and not (high - low) / 2 <= margin.margin + CLOSE:  # also where an end is NaN
        return "inconclusive"
    rounding = 0.5 * 10.0**-decimals
    if abs(ours - published) - rounding <= margin.margin + CLOSE:
        return "reproduced"
    if margin.rule == "estimate" and margin.no_effect is not None:
        above, below = low > margin.no_effect, high < margin.no_effect  # our interval excludes "no effect" on this side
        if (above and published > margin.no_effect) or (below and published < margin.no_effect):
            return "direction reproduced"
    return "not reproduced"


def method_check(outcomes: Iterable[float]) -> str | None:
    """What the phantom says of a method: ``passed`` if every check is 1, ``failed`` if one is 0, ``None`` without any.

    Raises
    ------
    ValueError
        An outcome is neither 0 nor 1.
    """
    values = list(outcomes)
    if wrong := [value for value in values if value not in (0, 1)]:
        raise ValueError(f"a method check is 1 (passed) or 0 (failed), got {wrong[0]}")
    if not values:
        return None
    return "passed" if all(values) else "failed"
