import numpy as np
import pytest

from osteolib.cohorts import grouped_folds, load_cohort
from osteolib.phantoms.vertebra.scanner import render_patch
from osteolib.stats.labels import label_from_t_score
from osteolib.volume import read_labels, read_volume


def table(**options):
    return load_cohort("vertebra-phantom", **({"n_subjects": 30, "render": False} | options))


def test_a_row_is_a_vertebra_and_only_those_with_a_dxa_have_a_label():
    cohort = table(seed=3)
    rows = cohort.subjects
    assert cohort.kind == "phantom" and rows.subject_id.nunique() == 30 and len(rows) == 300
    assert (rows.unit == "vertebra").all() and rows.unit_id.is_unique and (rows.split_group == rows.subject_id).all()
    for name in ("t_score", "bmd_g_cm2", "label", "t_score_site"):
        assert rows[name].notna().equals(rows.labelled), name
    own = rows[rows.labelled]
    assert own.label.equals(label_from_t_score(own.t_score, "who"))
    assert set(own.level) <= {"L1", "L2", "L3", "L4"}
    assert rows[["bmd_true_g_cm2", "t_score_true", "spongy_mg_cm3", "level", "device", "site"]].notna().all().all()
    assert rows.path.isna().all()


def test_all_vertebrae_of_a_person_stand_in_one_fold_and_one_split():
    rows = table(preset="tpswav2025").subjects
    own = rows[rows.labelled]
    folds = grouped_folds(own, own.label.eq("osteoporosis").astype(int), 3, 0)
    assert own.assign(fold=folds).groupby("subject_id").fold.nunique().max() == 1
    assert rows.groupby("subject_id")[["split", "site", "device", "scanner"]].nunique().max().max() == 1


def test_patches_are_written_once_in_the_order_of_the_body(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    cohort = table(n_subjects=1, render=True, spacing_mm=3.0)
    again = table(n_subjects=1, render=True, spacing_mm=3.0)
    assert cohort.fingerprint == again.fingerprint != table(n_subjects=1, spacing_mm=3.0, seed=1).fingerprint
    row = cohort.subjects[cohort.subjects.labelled].iloc[0]
    volume, mask = read_volume(row.path), read_labels(row.mask_path)
    hu, truth = render_patch(cohort.manifest.settings, row.to_dict(), 3.0, 0)
    np.testing.assert_array_equal(volume.voxels, np.rint(hu))
    np.testing.assert_array_equal(mask.voxels, truth)
    assert volume.voxels.shape == (24, 24, 24) and volume.stored == "RAS"
    np.testing.assert_allclose(volume.spacing_mm, 3)
    np.testing.assert_allclose(volume.to_mm([11.5, 11.5, 11.5]), 0, atol=1e-6)
    assert set(np.unique(mask.voxels)) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "lee2025"}, "preset must be one of crossed, tpswav2025, unseen, or None"),
        ({"preset": "default"}, "preset must be one of"),
        ({"n_subjects": 0}, "n_subjects must be 1 to 100000 or None"),
        ({"spacing_mm": 0.2}, "spacing_mm 0.75 to 3"),
        ({"size": 64}, "no option size"),
    ],
)
def test_an_option_out_of_range_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        table(**options)
