"""What a phantom is made from: the settings of its manifest, ``data_manifests/cohorts/<name>.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from osteolib.runs.paths import ROOT


@cache
def phantom_settings(name: str) -> dict[str, Any]:
    """``settings`` of a phantom's manifest with its ``label_rule``, and with the people of :func:`with_people`."""
    content = yaml.safe_load((ROOT / "data_manifests" / "cohorts" / f"{name}.yaml").read_text(encoding="utf-8"))
    return with_people(content["settings"]) | {"label_rule": content["label_rule"]}


def with_people(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the coefficients of people filled in from the phantom that ``people: like`` names."""
    people = dict(settings["people"])
    like = people.pop("like", None)
    return {**settings, "people": phantom_settings(like)["people"] | people if like else people}
