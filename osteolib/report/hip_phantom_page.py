"""What the page on the phantom hip shows and records, section by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.hip.drawn import one_film
from osteolib.phantoms.hip.trabeculae import singh_grade
from osteolib.phantoms.hip.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.report import hip_films
from osteolib.report.hip_paper import published_hip
from osteolib.report.hip_segmentation_page import PHANTOM
from osteolib.report.show import figure, table, with_ci
from osteolib.runs import Run
from osteolib.stats import BootstrapResult, fisher_z_ci

PLAIN = {"density": 0.9, "cortical_thickness_mm": 5.8, "fat_mm": 20.0, "rotation_deg": 3.0, "neck_shaft": 0.0}
"""The hip from which one thing after the other is changed."""
DENSITIES = (1.2, 0.8, 0.69, 0.62, 0.47, 0.25)


def show_films(run: Run, hips: pd.DataFrame) -> None:
    """Six films as they come, and the masks of one with metal."""
    films = hips.groupby("image_id", sort=False)
    chosen = [film for _, film in films][:6]
    images = [read_radiograph(film["path"].iloc[0]).pixels for film in chosen]
    titles = [f"{f.sex.iloc[0]} {f.age_years.iloc[0]:.0f}, BMI {f.bmi_kg_m2.iloc[0]:.0f}, T "
              + " / ".join(f"{t:.1f}".replace("-", "−") for t in f.t_score) for f in chosen]  # fmt: skip
    rows, names = ([some[k : k + 3] for k in (0, 3)] for some in (images, titles))
    figure(run, "films", hip_films.film_rows(rows, names, 2.5), alt="Six simulated films of the pelvis "
           "with sex, age, BMI and the T-scores of the right and the left hip; some hold metal.")  # fmt: skip
    counts = hips["obstacle"].value_counts()
    run.fact(n_films=len(films), n_hips=len(hips), n_screw=counts.get("screw", 0), n_joint=counts.get("joint", 0),
             obstructed=100 * hips["obstructed"].mean(), excluded=published_hip()["excluded.pct"])  # fmt: skip


def show_masks(run: Run, hips: pd.DataFrame) -> None:
    """One film with metal, if there is one, and the outlines of what is known."""
    first = hips.sort_values("obstructed", ascending=False, kind="stable").iloc[0]
    film, mask = read_radiograph(first["path"]).pixels, read_masks(first["masks_path"], first["image_id"])
    figure(run, "masks", hip_films.masks_figure(film, mask), alt="A film, and the same film with outlines of pelvis, "
           "femurs, DXA's region of the neck and metal.")  # fmt: skip


def proximal_femur(film: NDArray) -> NDArray:
    """The middle of the left half of a straight film: head, neck, trochanters."""
    height, width = film.shape
    return film[int(0.42 * height) : int(0.93 * height), int(0.55 * width) : int(0.91 * width)]


def show_fading(run: Run, settings: Mapping, width: int, seed: int) -> None:
    """One femur at six densities, and the curves behind it."""
    crops = []
    for density in DENSITIES:
        changes = PLAIN | {"density": density, "cortical_thickness_mm": 3.4 + 2.4 * density}
        crops.append(proximal_femur(one_film(settings, width, seed, **changes)[0]))
    titles = [f"density {d:g}, grade {singh_grade(d)}" for d in DENSITIES]
    sheet = hip_films.film_rows([crops[:3], crops[3:]], [titles[:3], titles[3:]], 2.3)
    figure(run, "fading", sheet, alt="One proximal femur at six densities: the bundles of trabeculae vanish one after "
           "the other.")  # fmt: skip
    figure(run, "groups", hip_films.fading_figure(0.1, 1.4), alt="Share of each group of trabeculae left, by density, "
           "with the grade of the Singh index above.")  # fmt: skip


def show_changes(run: Run, settings: Mapping, width: int, seed: int) -> None:
    """The same bone in bellies of three sizes, turned legs, and with metal."""
    rows = [
        {f"fat of {mm} mm before and behind": {"fat_mm": float(mm)} for mm in (9, 25, 50)},
        {f"leg turned by {degrees}°": {"rotation_deg": float(degrees)} for degrees in (-15, 10, 35)},
        {name: {"obstacle_right": right, "obstacle_left": left} for name, right, left in
         (("screws", "screw", "none"), ("a joint", "none", "joint"), ("both", "screw", "joint"))},
    ]  # fmt: skip
    films = [[one_film(settings, width, seed + k * (row == rows[2]), **PLAIN | change)[0]
              for k, change in enumerate(row.values())] for row in rows]  # fmt: skip
    sheet = hip_films.film_rows(films, [list(row) for row in rows], 2.5)
    figure(run, "changes", sheet, alt="Nine films: one person with three thicknesses of fat, with legs turned inwards "
           "and outwards, and three persons with screws or an artificial joint.")  # fmt: skip


def show_necks(run: Run, hips: pd.DataFrame, necks: pd.DataFrame) -> None:
    """Mineral in the region of the drawn necks against the BMD of the scans; ``necks`` in the order of ``hips``."""
    both = hips.reset_index(drop=True).join(necks[["bmd_g_cm2"]].add_suffix("_drawn")).dropna(subset="bmd_g_cm2_drawn")
    drawn, scan = both["bmd_g_cm2_drawn"], both["bmd_neck_g_cm2"]
    r = np.corrcoef(drawn, scan)[0, 1]
    low, high = fisher_z_ci(r, len(both) // 2)  # as many people as are independent
    run.result(None, "r of drawn mineral and neck BMD", r, ci=(low, high), n=len(both), cohort=PHANTOM)
    run.fact(r_neck=r, r_neck_low=low, r_neck_high=high, n_necks=len(both), neck_bias=(drawn - scan).mean(),
             neck_sd=(drawn - scan).std())  # fmt: skip
    figure(run, "necks", hip_films.neck_figure(drawn, scan, both["sex"]), alt="Mineral per area in the region of drawn "
           "necks against BMD by the simulated scan; points lie along the diagonal.")  # fmt: skip


def show_people(run: Run, hips: pd.DataFrame) -> None:
    """The paper's people beside the simulated ones: two kinds, two columns of one table never averaged."""
    paper, people = published_hip(), hips.groupby("subject_id")
    worst, age = people["t_score"].min(), people["age_years"].first()
    shown = pd.DataFrame({
        "PUBLISHED: real patients": {
            "people": f"{paper['n_patients']:,.0f}", "hips": f"{paper['n_images']:,.0f}",
            "age, mean (SD)": f"{paper['age.mean']:.1f} ({paper['age.sd']:.1f})",
            "women, %": f"{paper['female.pct']:.1f}",
            "T-score, mean (SD)": f"{paper['tscore.mean']:.1f} ({paper['tscore.sd']:.1f})".replace("-", "−"),
            "osteoporosis by the lowest T-score, % of people": f"{paper['op.pct']:.1f}",
            "hips left out, %": f"{100 * paper['excluded.n'] / paper['n_images']:.1f}",
        },
        "PHANTOM": {
            "people": f"{len(worst):,}", "hips": f"{len(hips):,}",
            "age, mean (SD)": f"{age.mean():.1f} ({age.std():.1f})",
            "women, %": f"{100 * people['sex'].first().eq('F').mean():.1f}",
            "T-score, mean (SD)": f"{hips.t_score.mean():.1f} ({hips.t_score.std():.1f})".replace("-", "−"),
            "osteoporosis by the lowest T-score, % of people": f"{100 * (worst <= -2.5).mean():.1f}",
            "hips left out, %": f"{100 * hips['obstructed'].mean():.1f}",
        },
    })  # fmt: skip
    table(run, "people", shown.rename_axis("what"), "The paper's patients (its Results) and the simulated people made "
          "to resemble them")  # fmt: skip


def whole_film(paths: Sequence[str]) -> pd.DataFrame:
    """Mean, SD and quantiles of grey of each film."""
    points = (5, 25, 50, 75, 95, 99)
    films = (read_radiograph(path).pixels for path in paths)
    return pd.DataFrame([[p.mean(), p.std(), *np.percentile(p, points)] for p in films])


def of_both(hips: pd.DataFrame) -> pd.DataFrame:
    """The least density and cortex of the two hips on each film."""
    return hips.groupby("image_id", sort=False)[["density", "cortical_thickness_mm", "bone_scale"]].min()


def show_known(run: Run, honest: Mapping[str, BootstrapResult], best: Mapping[str, Mapping[str, float]]) -> None:
    """AUROC by what is known of a film's people, and the best that a reader of all latents reaches."""
    rows = [(name, with_ci(r.estimate["auroc"], *r.ci["auroc"]), "", "", r.n) for name, r in honest.items()]
    rows += [(name, f"{b['auroc']:.3f}", f"{b['r']:.3f}", f"{b['mae']:.2f}", 50_000) for name, b in best.items()]
    scan = next(iter(best.values()))
    rows.append(("a second scan of the same hip", "", f"{scan['scan_r']:.3f}", "", 50_000))
    shown = pd.DataFrame(rows, columns=["what is known", "AUROC (95 % CI)", "r with T", "MAE, T", "n"])
    table(run, "known", shown, "Phantom: osteoporosis by what is known of the film or the person; the first lines by "
          "film, the attainable ones by hip, of the preset's people", index=False)  # fmt: skip
    for name, result in honest.items():
        run.result(None, f"auroc, {name}", result.estimate["auroc"], ci=result.ci["auroc"], n=result.n, cohort=PHANTOM)
    for name, values in best.items():
        for metric in ("auroc", "r", "mae"):
            run.result(None, f"attainable {metric}, {name}", values[metric], n=50_000, cohort=PHANTOM)
    blind = honest["statistics of the whole film"]
    low, high = blind.ci["auroc"]
    run.fact(blind=blind.estimate["auroc"], blind_low=low, blind_high=high, best_auroc=scan["auroc"], best_r=scan["r"],
             best_mae=scan["mae"], best_sd=scan["sd"], scan_r=scan["scan_r"], scan_sd=scan["scan_sd"],
             paper_r=published_hip()["r"], blind_where="within" if low <= 0.5 <= high else "outside")  # fmt: skip
