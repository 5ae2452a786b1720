"""``hip-phantom`` as a cohort: the table of hips, checked, and their films in the artefact store."""

from __future__ import annotations

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.manifest import Manifest
from osteolib.cohorts.phantoms import SIMULATED
from osteolib.phantoms.films import MASKS
from osteolib.phantoms.hip import film, people
from osteolib.runs.fingerprint import fingerprint
from osteolib.runs.store import artefact
from osteolib.stats.labels import label_from_t_score

MODULES = ("osteolib.phantoms.hip.film", "osteolib.phantoms.hip.people")  # the content of a phantom is its code
SUFFIX = {"png": "png", "dicom": "dcm"}


def read_hip_phantom(
    manifest: Manifest,
    folder: None = None,
    *,
    n_subjects: int = 400,
    seed: int = 0,
    film_width: int = 640,
    preset: str | None = None,
    file_format: str = "png",
    render: bool = True,
) -> Cohort:
    """Simulate the cohort; one row per hip, both hips of a person on one AP film of the pelvis.

    Parameters
    ----------
    film_width
        Of the films in pixels; 4000 gives 4000 x 3000.
    preset
        ``"chen2024"``: people of that paper's ages, sexes and T-scores.
    file_format
        ``"png"`` (8 bits) or ``"dicom"`` (DX of 16 bits with pixel spacing).
    render
        Make the films (or find them in the artefact store) and fill ``path`` and ``masks_path``; without, the table
        alone.

    Returns
    -------
    Cohort of kind ``phantom``. ``t_score`` is the lower of ``t_score_neck`` and ``t_score_total`` of one DXA scan;
    ``t_score_neck_true`` and ``t_score_total_true`` are those of the bone. ``obstructed`` tells whether metal lies in
    the hip, ``obstacle`` which. ``x0, y0, x1, y1`` is the half of the film with this hip (the patient's right hip lies
    at the image's left). And LATENTS of :mod:`osteolib.phantoms.hip.people`, and how each film was taken.

    Raises
    ------
    ValueError
        An option is out of range.
    """
    if file_format not in SUFFIX:
        raise ValueError(f"file_format must be png or dicom: {file_format!r}")
    if not (n_subjects >= 1 and 64 <= film_width <= 6000):
        raise ValueError(f"n_subjects must be 1 or more and film_width from 64 to 6000: {n_subjects}, {film_width}")
    options = {"n_subjects": n_subjects, "seed": seed, "film_width": film_width, "preset": preset}
    hips = people.simulate(manifest.settings, n_subjects, seed, preset)
    films = film.plan_films(manifest.settings, hips, seed, film_width)
    table = film.to_hips(films, hips)
    table["label"] = label_from_t_score(table.t_score, manifest.label_rule)
    if render:
        key = options | {"manifest": manifest.content(), "file_format": file_format}
        into = artefact(
            "hip-phantom", key, MODULES, lambda to: film.render_films(manifest.settings, films, seed, file_format, to)
        )
        table["path"] = [str(into / f"{image}.{SUFFIX[file_format]}") for image in table.image_id]
        table["masks_path"] = str(into / MASKS)
    notes = (
        SIMULATED,
        "A T-score is that of one simulated DXA scan, with the error of a repeat scan and to one decimal; a film shows "
        "the bone, so that even a perfect reading of the film differs from it by that error.",
    )
    return make_cohort(manifest, options | {"code": fingerprint(MODULES)}, table, notes=notes)
