"""The tables of the CT study as printed, and what its audit page tells of the matrices behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteolib.report.published import load_published, printed_texts
from osteolib.stats.audit import ConfusionMatrix, Printed, nearest_matrix, printed
from osteolib.stats.audit.recovered import gains, smallest_paired_p, step_of_totals

PAPER = "tpswav2025_ct"
SITES, VERTEBRAE, PATIENTS = "ABCD", "T2", "T3"
COLUMNS = {"accuracy": "acc", "sensitivity": "sen_col", "specificity": "spe_col", "f1": "f1"}  # as they are headed
AS_PPV_NPV = {"sensitivity": "ppv", "specificity": "npv"}  # printed column: what it then holds
NAMES = ["ResNet34", "Swin-UNETR", "MAE", "Alice", "SwinMM", "VOCO", "SwAV", "TP-SwAV", "TP-SwAV, unified",
         "the same + MoE"]  # fmt: skip
Found = Mapping[tuple[str, str, str], tuple[ConfusionMatrix, dict[str, float]]]  # by table, site and model


@dataclass(frozen=True)
class Tables:
    """Tables 2 (vertebrae) and 3 (patients): ten models at four sites, and the size of each test set."""

    rows: dict[tuple[str, str], dict[str, dict[str, Printed]]]  # by table and site: model, metric as headed
    size: dict[str, dict[str, int]]
    stars: dict[tuple[str, str], str]  # by site and model, of vertebrae

    @property
    def models(self) -> list[str]:
        return list(self.rows[VERTEBRAE, "A"])


def read_tables() -> Tables:
    """The printed tables, from ``data_manifests/published``."""
    stars = load_published(PAPER).set_index("published_id")["reported"]
    text = {name.removeprefix(f"{PAPER}."): shown for name, shown in printed_texts(PAPER).items()}
    models = list(dict.fromkeys(key.split(".")[2] for key in text if key.startswith("T2.A.")))
    units = {VERTEBRAE: "v_test", PATIENTS: "pt_test"}
    size = {tab: {s: int(text[f"T1.{s}.{unit}"]) for s in SITES} for tab, unit in units.items()}

    def row(tab: str, site: str, model: str) -> dict[str, Printed]:
        return {metric: printed(text[f"{tab}.{site}.{model}.{column}"]) for metric, column in COLUMNS.items()}

    rows = {(tab, s): {m: row(tab, s, m) for m in models} for tab in size for s in SITES}
    return Tables(rows, size, {(s, m): stars[f"{PAPER}.T2.{s}.{m}.stars"] for s in SITES for m in models})


def rows_explained(readings: Mapping[str, Mapping]) -> pd.DataFrame:
    """Of finding T-02: for every meaning of the two columns, the rows of each site (a column) that it explains."""
    tried = pd.concat({s: pd.DataFrame(readings[s]["hypotheses"]) for s in SITES}, names=["site", "rank"])
    words = {"sensitivity is ": "", "specificity is ": "", ",": " and", "sensitivity": "sens", "specificity": "spec",
             "ppv": "PPV", "npv": "NPV"}  # fmt: skip
    tried["meaning"] = tried["meaning"].replace(words, regex=True)
    return tried.reset_index().pivot(index="meaning", columns="site", values="rows_explained")


def positives_found(detail: Mapping[str, Mapping]) -> dict[str, dict[str, int]]:
    """By table and site, the number of positives that findings T-02 and T-25 found to serve most rows."""
    rows = {VERTEBRAE: detail["T-02"]["rows"], PATIENTS: detail["T-25"]["rows"]}
    return {tab: {s: found[s]["best"]["best_positives"] for s in SITES} for tab, found in rows.items()}


def shares(tables: Tables, found: Found, site: str, metric: str) -> pd.DataFrame:
    """Of vertebrae of one site, in per cent by model: ``printed`` under the head of this metric, and ``recovered``."""
    rows = tables.rows[VERTEBRAE, site]
    values = [(100 * float(rows[m][metric].value), 100 * found[VERTEBRAE, site, m][0].metric(metric)) for m in rows]
    return pd.DataFrame(values, index=list(rows), columns=["printed", "recovered"])


def order_of_sensitivity(tables: Tables, found: Found) -> dict[str, object]:
    """Facts: who leads by printed SEN at D, who is the most sensitive anywhere, and at how many sites these differ."""
    both = {s: shares(tables, found, s, "sensitivity") for s in SITES}
    first = {how: {s: NAMES[int(both[s][how].argmax())] for s in SITES} for how in ("printed", "recovered")}
    leader = first["printed"]["D"]
    printed_d, true_d = both["D"].iloc[NAMES.index(leader)]
    moe, single = tables.models[-1], tables.models[-2]
    return {
        "sen_d": float(printed_d), "true_d": float(true_d), "leader": leader,
        "most": ", ".join(dict.fromkeys(first["recovered"].values())),
        "turned": sum(first["printed"][s] != first["recovered"][s] for s in SITES),
        "lost": " and ".join(s for s in SITES if both[s].at[moe, "printed"] < both[s].at[single, "printed"]),
    }  # fmt: skip


def patients_of_rows(tables: Tables, found: Found, fit: Mapping, total: Mapping) -> pd.DataFrame:
    """Which patients a row of Table 3 fits, by model and site: the site's own, a cell off, or a running total."""

    def words(site: str, model: str) -> str:
        if model in fit[site][total[site]]:
            return "running total"
        return "site, a cell off" if found[PATIENTS, site, model][1] else "site"

    sites = {f"Site {s}": [words(s, m) for m in tables.models] for s in fit}
    return pd.DataFrame(sites, index=pd.Index(NAMES, name="model"))


def further_checks(tables: Tables, found: Found) -> dict[str, int]:
    """Facts: stars that the matrices put out of reach, and patients' rows that contradict those of vertebrae."""
    level, full = {"*": 0.05, "**": 0.01, "***": 0.001}, tables.models[-1]
    out = [
        [p >= level[star] for p in smallest_paired_p(found[VERTEBRAE, s, full][0], found[VERTEBRAE, s, m][0])]
        for (s, m), star in tables.stars.items()
        if star in level
    ]
    exact = [key for key, (_, off) in found.items() if key[0] == PATIENTS and not off]
    pairs = [(found[key][0], found[VERTEBRAE, *key[1:]][0]) for key in exact]
    beyond = np.sum(out, axis=0)
    return {
        "stars": len(out), "mcnemar": int(beyond[0]), "paired_t": int(beyond[1]), "pairs": len(pairs),
        "broken": sum(patients.fp > v.fp or patients.fn > v.fn for patients, v in pairs),
    }  # fmt: skip


def taken_apart(tables: Tables, total: Mapping[str, tuple[int, int]], models: list[str]) -> pd.DataFrame:
    """F1 (%) of patients at B and at D: as printed, and of the site alone if the row is a running total.

    ``total`` gives patients and positives of the running total at each site.
    """

    def matrix(site: str, model: str) -> ConfusionMatrix:
        return nearest_matrix(*total[site], AS_PPV_NPV, tables.rows[PATIENTS, site][model])[0]

    def f1(site: str, before: str, model: str) -> float:
        return 100 * step_of_totals(matrix(site, model), matrix(before, model)).metric("f1")

    columns = {"model": [NAMES[tables.models.index(m)] for m in models]}
    for site, before in ("BA", "DB"):
        columns[f"{site}, F1 printed"] = [printed_f1(tables, site, m) for m in models]
        columns[f"{site} alone"] = [f1(site, before, m) for m in models]
    return pd.DataFrame(columns)


def printed_f1(tables: Tables, site: str, model: str) -> float:
    """F1 (%) of patients as printed."""
    return 100 * float(tables.rows[PATIENTS, site][model]["f1"].value)


def totals(tables: Tables, total: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Facts: patients that the rows of a site fit, those that the sites add up to in the order C, A, B, D, the rest."""
    order = "CABD"
    sums = dict(zip(order, np.cumsum([tables.size[PATIENTS][s] for s in order]).tolist(), strict=True))
    facts = {f"total_{s}": n for s, (n, _) in total.items()} | {f"sum_{s}": sums[s] for s in total}
    return facts | {f"over_{s}": n - sums[s] for s, (n, _) in total.items()}


def gains_of_moe(tables: Tables, found: Found) -> pd.DataFrame:
    """What MoE has right beyond a single head: ``unit``, ``site``, ``positives``, ``negatives``, least ``p``."""
    moe, single = tables.models[-1], tables.models[-2]
    table = []
    for unit, tab in (("vertebrae", VERTEBRAE), ("patients", PATIENTS)):
        for site in SITES:
            new, old = (found[tab, site, model][0] for model in (moe, single))
            table.append((unit, site, *gains(new, old), smallest_paired_p(new, old)[0]))
    return pd.DataFrame(table, columns=["unit", "site", "positives", "negatives", "p"])


def moe_facts(table: pd.DataFrame, single: ConfusionMatrix, moe: ConfusionMatrix) -> dict[str, object]:
    """Facts of :func:`gains_of_moe` on vertebrae, and the share (%) that both heads call positive at one site."""
    v = table[table["unit"] == "vertebrae"].set_index("site")
    facts = {f"gain_{s}": int(k) for s, k in v["positives"].items()} | {f"p_least_{s}": p for s, p in v["p"].items()}
    facts |= {"more": int((v["positives"] > 0).sum()), "out": " and ".join(v.index[v["p"] >= 0.05])}
    return facts | {f"called_{k}": 100 * (m.tp + m.fp) / m.n for k, m in (("single", single), ("moe", moe))}
