import numpy as np
import pandas as pd
import pytest

from osteolib.report import ct_intake_page as page
from osteolib.report import ct_intake_rows as rows
from osteolib.volume import LabelMap, Volume, cut_vertebra, find_vertebrae, to_cube

USES = "ct-totalsegmentator"
NUMBERS = {"L1": 20, "L2": 21, "L3": 22}


@pytest.fixture(scope="module")
def scan():
    """Three blocks of 28 mm at 2 mm, 150 HU in a cortex of 400, fat around; the upper one is cut by the edge."""
    labels = np.zeros((50, 30, 30), np.uint16)
    voxels = np.full(labels.shape, -100, np.float32)
    for number, low in ((22, 2), (21, 19), (20, 36)):
        labels[low : low + 14, 6:24, 6:24] = number
        voxels[low : low + 14, 6:24, 6:24] = 400
        voxels[low + 2 : low + 12, 8:22, 8:22] = 150
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    return Volume(voxels, affine, "RAS"), LabelMap(labels, affine, "RAS")


@pytest.fixture(scope="module")
def patches(scan):
    volume, labels = scan
    found = {v.level: v for v in find_vertebrae(volume, labels, NUMBERS)}
    return {name: to_cube(cut_vertebra(volume, labels, found[name], margin_mm=16), 24) for name in ("L2", "L3")}


def test_every_spoiled_copy_is_refused_set_aside_or_put_right(scan, tmp_path):
    said = rows.refusals(*scan, NUMBERS, tmp_path).set_index("fault")
    assert said.answer.value_counts().to_dict() == {"refused": 12, "set aside": 1, "read": 1}
    assert said.answer["metal in the body"] == "set aside" and said.said["metal in the body"] == "L2: metal"
    assert "tilted by 15.0 degrees" in said.said["a gantry tilted by 15 degrees"]
    for fault, word in {
        "rescale intercept lost": "rescale",
        "one slice missing": "1 slice",
        "a gap of unequal slices": "2 to 4 mm apart",
        "mask mirrored left to right": "flipped",
        "mask of another shape": "45 x 30 x 30 voxels",
        "head and foot swapped": "lies above",
    }.items():
        assert word in said.said[fault]
    assert not said.said.str.contains(str(tmp_path)).any()  # no folder of this machine


def test_all_48_ways_are_one_volume(scan, tmp_path):
    assert rows.stored_in_every_way(scan[0], tmp_path) == (48, 48)


def test_the_column_is_followed(scan):
    """A body that leans: the slice from behind shows, at each height, the row through its middle."""
    _, labels = scan
    lean = np.stack([np.roll(plane, k // 10, axis=0) for k, plane in enumerate(labels.voxels)])
    middles = np.array([[9, 14.5 + 0.4, 14.5], [43, 14.5 + 3.8, 14.5]])
    side, behind = page.along_column(LabelMap(lean, labels.affine, "RAS"), middles)
    assert side.shape == (50, 30) and behind.shape == (50, 30)
    np.testing.assert_array_equal(behind[:, 15], labels.voxels[:, 15, 15])


def test_tables_by_hand(scan, patches):
    table = page.body_table(patches)
    assert table["mean"].tolist() == [150, 150] and table["sd"].tolist() == [0, 0]
    share = 10 * 14 * 14 / (14 * 18 * 18)
    assert table["whole"].tolist() == pytest.approx([150 * share + 400 * (1 - share)] * 2)
    volume, labels = scan
    inner = LabelMap((volume.voxels == 150).astype(np.uint16), labels.affine, "RAS")
    coarser = page.coarser_table(volume, inner)
    assert coarser.mm.tolist() == [1.5, 2.0, 3.0, 5.0] and coarser["mean"][1] == 150 and coarser["sd"][1] == 0


def test_the_page_shows_and_records(run, scan, patches, tmp_path, capsys):
    volume, labels = scan
    found = find_vertebrae(volume, labels, NUMBERS)
    page.show_ways(run, 48, 48, True)
    page.show_spine(run, volume, labels, found)
    page.show_planes(run, patches)
    values = page.body_table(patches | {"L4": patches["L3"], "fine": patches["L2"]})
    inner = LabelMap((labels.voxels == 21).astype(np.uint16), labels.affine, "RAS")
    page.show_body(run, values, 149.0, page.coarser_table(volume, inner), "fine")
    page.show_refusals(run, rows.refusals(volume, labels, NUMBERS, tmp_path / "copies"))
    assert run.facts["whole"] == "L2, L3" and run.facts["aside"] == "L1 (cut)"
    assert run.facts["n_faults"] == 14 and run.facts["n_refused"] == 12
    assert run.facts["found"] == 150 and run.facts["expert"] == 149
    said = capsys.readouterr().out
    assert "stands out" not in said and (run.facts["n_read"], run.facts["silent"]) == (1, "")
    assert {p.name for p in tmp_path.glob("*.png")} == {"spine.png", "planes.png", "body.png"}
    values.loc["L4", "sd"], values.loc["L4", "mean"] = 90, 170
    page.show_body(run, values, 149.0, page.coarser_table(volume, inner), "fine")
    assert run.facts["odd"] == "L4" and run.facts["rest_sd"] == 0


def test_a_copy_that_is_read_in_silence_is_named_and_not_put_right(run):
    table = [("one", "read", "a note"), ("two", "read", ""), ("three", "refused", "no")]
    page.show_refusals(run, pd.DataFrame(table, columns=["fault", "answer", "said"]))
    assert run.facts["n_read"] == 1 and run.facts["silent"] == " Read without a word: two."
