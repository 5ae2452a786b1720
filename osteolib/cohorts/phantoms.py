"""Phantoms as cohorts like any other: their table, checked, and their films in the artefact store."""

from __future__ import annotations

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.manifest import Manifest
from osteolib.phantoms.hand import film as hand_film
from osteolib.phantoms.hand import people as hand_people
from osteolib.phantoms.knee import film as knee_film
from osteolib.phantoms.knee import people as knee_people
from osteolib.phantoms.settings import with_people
from osteolib.runs.fingerprint import fingerprint
from osteolib.runs.store import artefact
from osteolib.stats.labels import label_from_t_score

SIMULATED = "Simulated: tests whether a method does what it says, never a clinical number."
# the content of a phantom is its code
KNEE = ("osteolib.phantoms.knee.film", "osteolib.phantoms.knee.people")
HAND = ("osteolib.phantoms.hand.film", "osteolib.phantoms.hand.people")


def read_knee_phantom(
    manifest: Manifest,
    folder: None = None,
    *,
    n_subjects: int = 500,
    acquisition: str = "A",
    seed: int = 0,
    size: int = 256,
    render: bool = True,
) -> Cohort:
    """Simulate the cohort; one unit per knee, two for a film of both.

    Parameters
    ----------
    acquisition
        ``"A"`` or ``"B"``: tube, detector and label method of the manifest; their people differ as well.
    size
        Height of the films in pixels; a film of one knee is as wide, one of both half as wide again.
    render
        Make the films (or find them in the artefact store) and fill ``path`` and ``masks_path``; without, the table
        alone.

    Returns
    -------
    Cohort of kind ``phantom``. Beside the usual columns the truth: LATENTS of :mod:`osteolib.phantoms.knee.people`,
    ``hip_t_score``; where a knee lies on its film (``x0, y0, x1, y1`` in pixels, ends excluded), ``spacing_mm``,
    ``exposure``, ``window_low``, ``window_high``, ``implant``, ``artefact``.

    Raises
    ------
    ValueError
        An option is out of range.
    """
    if acquisition not in manifest.settings["acquisitions"]:
        raise ValueError(f"acquisition must be one of {', '.join(manifest.settings['acquisitions'])}: {acquisition!r}")
    if not (n_subjects >= 1 and size >= 64 and size % 8 == 0):
        raise ValueError(f"n_subjects must be 1 or more and size a multiple of 8 from 64 on: {n_subjects}, {size}")
    options = {"n_subjects": n_subjects, "acquisition": acquisition, "seed": seed, "size": size}
    people = knee_people.simulate(manifest.settings, n_subjects, acquisition, seed)
    films = people.join(knee_film.plan_films(manifest.settings, people, acquisition, seed, size))
    films["label"] = label_from_t_score(films.t_score, manifest.label_rule)
    if render:
        key = options | {"manifest": manifest.content()}
        into = artefact(
            "knee-phantom", key, KNEE, lambda to: knee_film.render_films(manifest.settings, films, options, to)
        )
        films["path"] = [str(into / f"{image}.png") for image in films.image_id]
        films["masks_path"] = str(into / knee_film.MASKS)
    notes = (
        SIMULATED,
        "What the knee knows of the T-score is an assumption of the manifest (settings, bone).",
    )
    code = {"code": fingerprint(KNEE)}
    return make_cohort(manifest, options | code, knee_film.to_knees(films), notes=notes)


def read_hand_phantom(
    manifest: Manifest,
    folder: None = None,
    *,
    n_subjects: int | None = None,
    seed: int = 0,
    size: int = 640,
    preset: str | None = None,
    file_format: str = "png",
    render: bool = True,
) -> Cohort:
    """Simulate the cohort; one row per hand, one film of it.

    Parameters
    ----------
    n_subjects
        By default 400, or those of the preset.
    size
        Height of the films in pixels; 3588 gives 2515 x 3588.
    preset
        ``"lee2025"``: the paper's 192 subjects by sex and label.
    file_format
        ``"png"`` or ``"dicom"`` (DX with pixel spacing).
    render
        Make the films (or find them in the artefact store) and fill ``path`` and ``masks_path``; without, the table
        alone.

    Returns
    -------
    Cohort of kind ``phantom``. Beside the usual columns the truth: LATENTS of :mod:`osteolib.phantoms.hand.people`
    (``cortical_percentage`` of M2 at mid-shaft, 0 to 1), ``bones_present`` (names, apart by spaces), ``n_bones``,
    ``height_cm``, ``spacing_mm``; and how each film was taken.

    Raises
    ------
    ValueError
        An option is out of range.
    """
    presets = manifest.settings["presets"]
    if preset not in (None, *presets):
        raise ValueError(f"preset must be one of {', '.join(presets)}, or None: {preset!r}")
    if preset and n_subjects:
        raise ValueError(f"the preset {preset} says how many subjects there are: leave n_subjects out")
    if file_format not in ("png", "dicom"):
        raise ValueError(f"file_format must be png or dicom: {file_format!r}")
    n_subjects = n_subjects if n_subjects is not None else 400
    if not (n_subjects >= 1 and 64 <= size <= 6000):
        raise ValueError(f"n_subjects must be 1 or more and size from 64 to 6000: {n_subjects}, {size}")
    settings = with_people(manifest.settings)
    options = {"n_subjects": n_subjects, "seed": seed, "size": size, "preset": preset, "people": settings["people"]}
    people = hand_people.simulate(settings, n_subjects, seed, preset)
    films = people.join(hand_film.plan_films(settings, people, seed, size))
    films["label"] = label_from_t_score(films.t_score, manifest.label_rule)
    films["bones_present"] = [" ".join(hand_film.present(film)) for film in films.to_dict("records")]
    films["n_bones"] = films.bones_present.str.split().str.len()
    if render:
        key = options | {"manifest": manifest.content(), "file_format": file_format}
        into = artefact(
            "hand-phantom", key, HAND, lambda to: hand_film.render_films(settings, films, seed, file_format, to)
        )
        suffix = {"png": "png", "dicom": "dcm"}[file_format]
        films["path"] = [str(into / f"{image}.{suffix}") for image in films.image_id]
        films["masks_path"] = str(into / hand_film.MASKS)
    notes = (
        SIMULATED,
        "What the hand knows of the T-score is set in the manifest (settings, bone), at r = 0.54 for its cortex.",
    )
    code = {"code": fingerprint(HAND)}
    return make_cohort(manifest, options | code, films, notes=notes)
