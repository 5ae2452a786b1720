"""``vertebra-phantom`` as a cohort: the table of vertebrae, checked, and their CT patches in the artefact store."""

from __future__ import annotations

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.manifest import Manifest
from osteolib.cohorts.phantoms import SIMULATED
from osteolib.phantoms.vertebra import people, scanner
from osteolib.phantoms.vertebra.hospitals import with_unlabelled
from osteolib.runs.fingerprint import fingerprint
from osteolib.runs.store import artefact
from osteolib.stats.labels import label_from_t_score

MODULES = ("osteolib.phantoms.vertebra.scanner", "osteolib.phantoms.vertebra.people")  # its content is its code


def read_vertebra_phantom(
    manifest: Manifest,
    folder: None = None,
    *,
    n_subjects: int | None = 300,
    seed: int = 0,
    preset: str | None = None,
    spacing_mm: float = 1.5,
    unlabelled: float = 1.0,
    render: bool = True,
) -> Cohort:
    """Simulate the cohort; one row per vertebra on a person's CT.

    Parameters
    ----------
    n_subjects
        People; None: as many as the paper has, 3,897.
    preset
        ``"tpswav2025"``: hospitals, their DXA, counts and share of osteoporosis as in the paper. ``"crossed"``: the
        same, but each hospital has machines of all makers. ``"unseen"``: D reads with a maker that A to C do not have.
        None: four equal hospitals with all makers.
    spacing_mm
        Of the patches, 0.75 to 3, the same along all axes; a patch is 72 mm wide.
    unlabelled
        Share of the paper's vertebrae without DXA that are on the scans, 0 to 1.
    render
        Make the patches (or find them in the artefact store) and fill ``path`` and ``mask_path``; without, the table
        alone.

    Returns
    -------
    Cohort of kind ``phantom``. ``bmd_g_cm2``, ``t_score`` (against the maker's own young women at that level) and
    ``label`` are what the hospital's DXA says, and missing where ``labelled`` is False; ``bmd_true_g_cm2`` is
    standardised BMD and ``t_score_true`` the T-score of a Hologic without error. ``split`` is train, valid or test.
    And LATENTS of :mod:`osteolib.phantoms.vertebra.people` and how each person was scanned.

    Raises
    ------
    ValueError
        An option is out of range.
    """
    presets = [name for name in manifest.settings["presets"] if name != "default"]
    if preset not in (None, *presets):
        raise ValueError(f"preset must be one of {', '.join(presets)}, or None: {preset!r}")
    if not ((n_subjects is None or 1 <= n_subjects <= 100_000) and 0.75 <= spacing_mm <= 3 and 0 <= unlabelled <= 1):
        raise ValueError(
            "n_subjects must be 1 to 100000 or None, spacing_mm 0.75 to 3, and unlabelled 0 to 1: "
            f"{n_subjects}, {spacing_mm}, {unlabelled}"
        )
    settings = with_unlabelled(manifest.settings, unlabelled)
    options = {"n_subjects": n_subjects, "seed": seed, "preset": preset, "spacing_mm": spacing_mm}
    options |= {"unlabelled": unlabelled} if unlabelled < 1 else {}
    rows = people.simulate(settings, n_subjects, seed, preset)
    rows = rows.join(scanner.plan_scans(settings, rows, preset, seed))
    rows = rows.assign(
        unit="vertebra", bone="vertebra", unit_id=rows.image_id, split_group=rows.subject_id, spacing_mm=spacing_mm,
        t_score_site=rows.level.where(rows.labelled), t_score_method="simulated",
    )  # fmt: skip
    rows["label"] = label_from_t_score(rows.t_score, manifest.label_rule)
    if render:
        key = options | {"manifest": manifest.content()}
        into = artefact(
            "vertebra-phantom", key, MODULES, lambda to: scanner.render_patches(settings, rows, spacing_mm, seed, to)
        )
        rows["path"] = [str(into / f"{image}.nii.gz") for image in rows.image_id]
        rows["mask_path"] = [str(into / f"{image}_mask.nii.gz") for image in rows.image_id]
    notes = (
        SIMULATED,
        "What spongy bone knows of the T-score is an assumption of the manifest (settings, bone).",
        "The line and the reference of MEDIX are assumptions; those of Hologic and GE Lunar are published.",
    )
    return make_cohort(manifest, options | {"code": fingerprint(MODULES)}, rows, notes=notes)
