import numpy as np
import pandas as pd

from osteolib.screen.hip_parts import held_out, parts_of, taking_part


def subjects(n=90, seed=0):
    rng = np.random.default_rng(seed)
    people = np.repeat([f"p{i:02}" for i in range(n)], 2)
    return pd.DataFrame({"subject_id": people, "split_group": people, "t_score": rng.normal(-2.6, 1.1, 2 * n),
                         "obstructed": rng.random(2 * n) < 0.3})  # fmt: skip


def test_no_test_hip_of_the_study_trains_a_detector():
    hips = subjects()
    held = held_out(hips, 3)
    part = parts_of(taking_part(hips), 3)
    named = taking_part(hips).assign(part=part).groupby("subject_id")["part"].first()
    inside = hips["subject_id"].map(named)
    assert held[inside.isin(["test", "validation"])].all() and not held[inside == "train"].any()
    both_with_metal = inside.isna().to_numpy()
    assert both_with_metal.sum() >= 5 and 0 < held[both_with_metal].mean() < 1
    assert abs(held.mean() - 1 / 3) < 0.08


def test_people_and_copies_stay_together():
    hips = subjects()
    hips.loc[[0, 1, 30, 31], "split_group"] = "copy"
    held = pd.Series(held_out(hips, 1))
    assert held.groupby(hips["subject_id"]).nunique().max() == 1
    assert held.groupby(hips["split_group"]).nunique().max() == 1


def test_the_same_seed_holds_out_the_same_whatever_the_index():
    hips = subjects()
    again = held_out(hips.set_axis(range(500, 680)), 2)
    np.testing.assert_array_equal(held_out(hips, 2), again)
    assert (held_out(hips, 2) != held_out(hips, 4)).any()
