import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from osteolib.phantoms.settings import phantom_settings
from osteolib.phantoms.vertebra import likeness, scanner
from osteolib.phantoms.vertebra.anatomy import AHEAD_MM, shape_of
from osteolib.phantoms.vertebra.people import simulate
from osteolib.phantoms.vertebra.trabeculae import network, spacing_mm
from osteolib.phantoms.vertebra.truth import MASK

SETTINGS = phantom_settings("vertebra-phantom")
PLAIN = {
    "image_id": "V0-L3", "level": "L3", "scale": 1.0, "cortex_mm": 0.4, "marrow_fat": 0.5, "spongy_mg_cm3": 110.0,
    "scanner": "A", "kv": 120, "noise_hu": 0.01, "hu_offset": 0.0, "fatness": 0.0,
}  # fmt: skip


def patch(spacing: float = 1.5, seed: int = 0, **changes):
    return scanner.render_patch(SETTINGS, PLAIN | changes, spacing, seed)


def test_hu_of_mineral_are_those_of_hydroxyapatite_in_water():
    """mu/rho of Ca, P, O, H and water in cm2/g at 60 and 80 keV (NIST), log-log between; 3.16 g/cm3 displace water."""
    elements = {"Ca": (0.6578, 0.3656, 0.3989), "P": (0.3494, 0.2324, 0.1850), "O": (0.1907, 0.1678, 0.4141),
                "H": (0.3260, 0.3091, 0.0020)}  # fmt: skip
    for kv, kev in ((100, 62), (120, 69), (140, 76)):
        where = (np.log(kev) - np.log(60)) / (np.log(80) - np.log(60))

        def between(low, high, where=where):
            return np.exp((1 - where) * np.log(low) + where * np.log(high))

        apatite = sum(between(low, high) * share for low, high, share in elements.values())
        water = between(0.2059, 0.1837)
        expected = (apatite - water / 3.16) / water  # HU per mg/cm3
        assert SETTINGS["tissue"]["hu_per_mg_cm3"][kv] == pytest.approx(expected, rel=0.03)


def test_hu_of_the_body_rise_with_density_by_the_calibration():
    density = np.array([60.0, 100.0, 160.0])
    for kv, name in ((120, "A"), (100, "C")):
        body = [(hu[mask == MASK["spongy"]]).mean() for hu, mask in
                (patch(3.0, spongy_mg_cm3=rho, kv=kv, scanner=name) for rho in density)]  # fmt: skip
        slope = np.polyfit(density, body, 1)[0]
        assert slope == pytest.approx(SETTINGS["tissue"]["hu_per_mg_cm3"][kv], rel=0.12)
    fat, lean = (patch(3.0, marrow_fat=f)[0][patch(3.0)[1] == MASK["spongy"]].mean() for f in (0.8, 0.2))
    assert lean - fat == pytest.approx(0.6 * (48 + 95), rel=0.15)


def test_the_mask_lies_where_a_vertebra_lies():
    _, mask = patch()
    shape = shape_of(SETTINGS["levels"], "L3", 1.0, 0.4, np.random.default_rng([0, 0]))
    body, back = np.isin(mask, (1, 2)), mask == 3
    mean_area = 1 - 4 / 3 * shape.waist + 8 / 15 * shape.waist**2  # over the height, of a waist 1 - w (1 - t^2)
    expected = np.pi * shape.a * shape.b * (shape.h * mean_area - shape.dish)
    assert body.sum() * 1.5**3 == pytest.approx(expected, rel=0.12)
    centre = (np.argwhere(body).mean(0) - 23.5) * 1.5
    np.testing.assert_allclose(centre, [0, AHEAD_MM, 0], atol=3.5)
    assert np.argwhere(back)[:, 1].mean() < np.argwhere(body)[:, 1].min() + 3  # behind the body
    left, right = (mask[:, :, :24] == 3).sum(), (mask[:, :, 24:] == 3).sum()
    assert 0.7 < left / right < 1.4
    canal = np.array([0, AHEAD_MM - shape.b - 8, 0]) / 1.5 + 23.5
    assert mask[tuple(np.rint(canal).astype(int))] == 0
    # wall around, spongy bone inside
    inner = np.argwhere(mask == 2)
    assert body[tuple((inner + np.array([0, 0, 1])).T)].mean() > 0.99
    assert body[tuple((inner - [0, 1, 0]).T)].mean() > 0.99


def test_lower_vertebrae_are_larger_and_ribs_belong_to_the_chest():
    masks = [patch(level=level)[1] for level in ("T5", "T10", "L1", "L5")]
    widths = [np.flatnonzero(np.isin(mask, (1, 2)).any((0, 1))).size for mask in masks]
    assert widths == sorted(widths)
    assert (patch(level="T6")[0] < -600).mean() > 0.1 > 0.001 > (patch(level="L3")[0] < -600).mean()  # lungs


def test_a_thicker_cortex_adds_its_own_mineral_however_thin_it_is():
    """Partial volume: three times the extra thickness gives three times the extra HU, below the size of a voxel."""
    total = {t: patch(cortex_mm=t)[0].sum() for t in (0.15, 0.25, 0.45)}
    assert (total[0.45] - total[0.15]) / (total[0.25] - total[0.15]) == pytest.approx(3, rel=0.08)


def test_voxels_of_another_size_show_the_same_vertebra():
    one, coarse = patch(1.5), patch(3.0)
    assert one[0].shape == (48,) * 3 and coarse[0].shape == (24,) * 3
    for value in (1, 2, 3):
        if value != 1:  # the wall is a voxel thick
            volumes = [(mask > 0).sum() * mm**3 for (_, mask), mm in ((one, 1.5), (coarse, 3.0))]
            assert volumes[1] == pytest.approx(volumes[0], rel=0.12)
    means = [hu[mask == 2].mean() for hu, mask in (one, coarse)]
    assert means[1] == pytest.approx(means[0], abs=25)


def test_finer_and_halved_keep_a_plane_and_the_mean():
    z, y, x = np.indices((6, 6, 6), np.float32)
    plane = z + 2 * y - 3 * x
    inner = (slice(1, -1),) * 3
    np.testing.assert_allclose(scanner.halved(scanner.finer(plane))[inner], plane[inner], atol=1e-5)
    rough = np.random.default_rng(0).random((4, 4, 4)).astype(np.float32)
    assert scanner.halved(rough).mean() == pytest.approx(rough.mean(), rel=1e-5)
    by_hand = rough[:2, :2, :2].mean()
    assert scanner.halved(rough)[0, 0, 0] == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("name", "ABCD")
def test_a_scanner_keeps_an_even_object_and_its_noise_has_the_named_sd(name):
    about, rng = SETTINGS["scanners"][name], np.random.default_rng(0)
    even = np.full((48,) * 3, 100, np.float32)
    seen = scanner.scan(even, about, 20.0, 1.5, rng)
    assert seen.mean() == pytest.approx(100, abs=0.5)
    assert seen.std() == pytest.approx(20, rel=0.02)
    assert scanner.scan(even[::2, ::2, ::2], about, 20.0, 3.0, rng).std() == pytest.approx(10, rel=0.02)


def test_noise_of_thick_slices_goes_on_from_slice_to_slice_and_that_of_a_sharp_kernel_changes_sign():
    noise = {name: scanner.scan(np.zeros((48,) * 3, np.float32), SETTINGS["scanners"][name], 20, 1.5,
                                np.random.default_rng(1)) for name in "BD"}  # fmt: skip

    def neighbours(volume, axis):
        first, second = (np.take(volume, range(k, 47 + k), axis).ravel() for k in (0, 1))
        return np.corrcoef(first, second)[0, 1]

    assert neighbours(noise["D"], 0) > 0.4 > neighbours(noise["B"], 0)
    assert neighbours(noise["B"], 2) < neighbours(noise["D"], 2)


def test_struts_are_wider_apart_in_thin_bone_and_run_along_the_spine():
    assert spacing_mm(40) > spacing_mm(100) > spacing_mm(200)
    bone = network(110.0, 48, 1.5, np.random.default_rng(0))
    assert bone.mean() == pytest.approx(1, abs=1e-3) and bone.min() >= 0

    def along(axis):
        return np.corrcoef(bone.ravel(), np.roll(bone, 1, axis).ravel())[0, 1]

    assert along(0) > along(1) + 0.05 and along(0) > along(2) + 0.05


def test_the_same_seed_gives_the_same_bits():
    (a, mask_a), (b, mask_b), (c, _) = patch(noise_hu=20), patch(noise_hu=20), patch(noise_hu=20, seed=1)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(mask_a, mask_b)
    assert not np.array_equal(a, c)


def test_honest_what_lies_beside_the_bone_does_not_tell_the_label_and_the_body_does():
    rows = simulate(SETTINGS, 200, 0, "crossed")
    rows = rows.join(scanner.plan_scans(SETTINGS, rows, "crossed", 0))
    rows = rows[rows.labelled].drop_duplicates("subject_id").reset_index(drop=True)
    patches = [scanner.render_patch(SETTINGS, row, 3.0, 0) for row in rows.to_dict("records")]
    field = pd.DataFrame([likeness.field_statistics(hu, mask) for hu, mask in patches])
    ill = (rows.t_score <= -2.5).to_numpy()
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    score = cross_val_predict(model, field, ill, cv=GroupKFold(5), groups=rows.subject_id, method="predict_proba")[:, 1]
    blind = roc_auc_score(ill, score)
    body = roc_auc_score(ill, [-hu[mask == 2].mean() for hu, mask in patches])
    assert 0.4 < blind < 0.6
    assert body > 0.75
