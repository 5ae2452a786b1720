import numpy as np
import pandas as pd
import pytest
import torch

from osteolib.screen import ct_devices as devices
from osteolib.screen.ct_devices import EXPERTS, NOBODY, ONE, SHUFFLED, TOLD, WITHHELD
from osteolib.screen.ct_makers import readings
from osteolib.screen.ct_study import CTStudy, scored_test
from osteolib.screen.moe_training import Recipe

torch.set_num_threads(1)
SMALL = Recipe("resnet18-half", epochs=1, warmup=1, batch_size=8, lr=1e-3)
MAKERS = ["GE Lunar", "Hologic", "MEDIX"]


@pytest.fixture(scope="module")
def study():
    """Two vertebrae each of 18 people, whose makers go round."""
    rng, n = np.random.default_rng(0), 18
    bmd = np.repeat(rng.normal(0.9, 0.15, n), 2)
    who = np.repeat(np.arange(n), 2)
    rows = pd.DataFrame({
        "unit_id": [f"p{k}-{j}" for k in range(n) for j in (1, 2)], "subject_id": [f"p{k}" for k in who],
        "split_group": [f"p{k}" for k in who], "site": np.array(list("BAC"))[who % 3], "level": ["L1", "L2"] * n,
        "device": np.array(MAKERS)[who % 3], "bmd_g_cm2": bmd, "bmd_true_g_cm2": bmd,
        "label": np.where(bmd < 0.85, "osteoporosis", "normal"),
    })  # fmt: skip
    images = rng.integers(0, 256, (2 * n, 3, 32, 32)).astype(np.uint8)
    parts = {"train": who < 9, "validation": (who >= 9) & (who < 12), "test": who >= 12}
    return CTStudy(rows, images, parts, rows.iloc[:0], {"cohort": "planted"})


@pytest.fixture(scope="module")
def trained(study, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("osteolib.runs.store.STORE", tmp_path_factory.mktemp("store"))
        recipes = devices.arms(SMALL) | {"learned": Recipe(**vars(SMALL) | {"unknown": "learned"})}
        yield devices.trained_on({name: (study, recipes[name]) for name in (ONE, TOLD, EXPERTS, "learned")})


def test_arms_differ_in_what_they_are_told_alone():
    arms = devices.arms(SMALL)
    assert list(arms) == [ONE, TOLD, EXPERTS, SHUFFLED, WITHHELD] and arms[EXPERTS] == SMALL
    assert (arms[ONE].n_experts, arms[ONE].device_to_experts) == (1, False)
    assert (arms[TOLD].n_experts, arms[TOLD].device_to_experts) == (1, True)
    assert [arms[name].devices for name in (SHUFFLED, WITHHELD)] == ["shuffled", "withheld"]
    assert list(devices.arms(SMALL, controls=False)) == [ONE, TOLD, EXPERTS]


def test_told_its_own_maker_a_network_says_what_it_said(study, trained):
    said = devices.told_each(study, trained[EXPERTS], MAKERS)
    assert len(said) == 3 * study.parts["test"].sum()
    own = said[said["told"] == said["device"]].set_index("unit_id")
    scored = scored_test(study, trained[EXPERTS]).set_index("unit_id").loc[own.index]
    np.testing.assert_allclose(own["score"], scored["score"], rtol=1e-5)
    np.testing.assert_allclose(own["bmd"], scored["bmd_predicted"], rtol=1e-5)


def test_one_head_does_not_hear_and_one_that_is_told_does(study, trained):
    for name, hears in ((ONE, False), (TOLD, True), (EXPERTS, True)):
        change = devices.moved(devices.told_each(study, trained[name], MAKERS), "Hologic", "MEDIX")
        assert len(change) == study.parts["test"].sum() and bool(change["bmd"].abs().max() > 0) == hears


def test_a_gate_that_hears_the_maker_moves_and_one_head_has_none(study, trained):
    said = devices.told_each(study, trained[EXPERTS], MAKERS)
    np.testing.assert_allclose(said.filter(like="gate_").sum(axis=1), 1, rtol=1e-5)
    assert (devices.gate_moved(said) > 0).all()
    assert (devices.gate_moved(devices.told_each(study, trained[ONE], MAKERS)) == 0).all()


def test_the_weight_that_moves_by_hand():
    """From one expert to another alone: 1; a tenth from one to another: 0.1; their mean with what stays."""
    weights = {"GE Lunar": [[1, 0], [0.5, 0.5]], "Hologic": [[0, 1], [0.4, 0.6]], "MEDIX": [[0, 1], [0.4, 0.6]]}
    said = pd.concat([pd.DataFrame(w, columns=["gate_1", "gate_2"]).assign(told=name, unit_id=["a", "b"])
                      for name, w in weights.items()])  # fmt: skip
    assert devices.gate_moved(said).loc[["a", "b"]].tolist() == pytest.approx([2 / 3, 0.2 / 3])
    with pytest.raises(ValueError, match="told MEDIX alone: tell a network two makers or more"):
        devices.gate_moved(said[said["told"] == "MEDIX"])


def test_known_makers_are_those_who_train(study):
    assert devices.known_makers(study) == MAKERS
    alone = CTStudy(study.rows.assign(device="MEDIX"), study.images, study.parts, study.without, {})
    assert devices.known_makers(alone) == ["MEDIX"]


@pytest.mark.parametrize("name", ["Hologics", "hologic", "Norland"])
def test_a_maker_that_the_network_does_not_know_is_an_error_and_not_an_unknown_one(study, trained, name):
    with pytest.raises(ValueError, match=rf"device '{name}' is none .*: tell it GE Lunar, Hologic, MEDIX, or 'nobody'"):
        devices.told_each(study, trained[EXPERTS], ["Hologic", name])


def test_nobody_is_the_mean_or_what_was_learned(study, trained):
    said = devices.told_nobody(study, trained["learned"]).pivot(index="unit_id", columns="told", values="bmd")
    assert list(said) == ["learned", "mean"] and not np.allclose(said["learned"], said["mean"])
    same = devices.told_each(study, trained["learned"], [NOBODY]).set_index("unit_id")["bmd"]
    np.testing.assert_allclose(said["learned"], same.loc[said.index])
    with pytest.raises(ValueError, match=r"learned no unknown device: train it with Recipe\(unknown='learned'\)"):
        devices.told_nobody(study, trained[EXPERTS])


def asked(share):
    """Two vertebrae whose prediction follows a share of what the makers read."""
    true = np.array([0.8, 1.1])
    read = readings(true)
    return pd.concat([
        pd.DataFrame({"unit_id": ["a", "b"], "subject_id": ["p", "q"], "bmd_true_g_cm2": true, "told": name,
                      "bmd": 0.9 + share * read[name]}) for name in MAKERS
    ])  # fmt: skip


@pytest.mark.parametrize("share", [0, 0.6, 1, 1.4])
def test_the_planted_share_is_found_in_each_picture(share):
    said = asked(share)
    nobody = said[said["told"] == "MEDIX"].assign(told=NOBODY, bmd=99.0)
    assert devices.moves_with_maker(pd.concat([said, nobody])).tolist() == pytest.approx([share] * 2)


def test_one_maker_told_is_nothing_to_compare():
    said = asked(1)
    with pytest.raises(ValueError, match="told MEDIX alone: tell a network two makers or more"):
        devices.moves_with_maker(said[said["told"] == "MEDIX"])
