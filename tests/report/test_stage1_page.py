import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteolib.report import stage1_counts as counts
from osteolib.report import stage1_figures as figures
from osteolib.report import stage1_page as page
from osteolib.report import stage1_sameness as sameness

USES = "strnet-stage1"


def rows_of_set() -> pd.DataFrame:
    """Films A and B of both knees, N of one knee that no other set knows; each crop and its small copy stand twice.

    A: osteopenia by T-score, its right knee under normal, its left one under osteoporosis. B: normal, both knees under
    normal. The film of A has a number burnt in.
    """
    rows = [("osteopenia", "A", "A", "A", 2, 2000), ("normal", "B", "B", "B", 2, 2000)]
    for crop, label, source in (("A1", "normal", "A"), ("A2", "osteoporosis", "A"), ("B1", "normal", "B"),
                                ("B2", "normal", "B"), ("N", "osteoporosis", "N")):  # fmt: skip
        rows += 2 * [(label, crop, crop, source, 1, 1000)] + 2 * [(label, f"{crop} small", crop, source, 1, 128)]
    frame = pd.DataFrame(
        rows, columns=["label", "content", "picture_group", "source_group", "n_legs", "original_width"]
    )
    wani = frame["source_group"].map({"A": "OP1", "B": "N1"})
    return frame.assign(
        image_id=[f"{label} {i}" for i, label in enumerate(frame["label"])], bytes_group=frame["content"],
        sha256=frame["content"], original_height=frame["original_width"].map({128: 256, 1000: 2000, 2000: 1500}),
        file=[f"{label}/{i}.jpg" for i, label in enumerate(frame["label"])], original_format=".jpg", wani_id=wani,
        wani_label=wani.map({"OP1": "osteopenia", "N1": "normal"}), wani_names=wani.notna().astype(int),
        wani_file=frame["content"].isin(["A", "B"]), film_layout=frame["n_legs"].map({1: "single", 2: "bilateral"}),
    )  # fmt: skip


@pytest.fixture
def films(tmp_path):
    films = rows_of_set()
    for content, seed in zip(films["content"].unique(), range(99), strict=False):
        pixels = np.random.default_rng(seed).integers(0, 255, (60, 40)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{content}.png")
    return films.assign(path=[str(tmp_path / f"{content}.png") for content in films["content"]])


@pytest.fixture
def listed(films):
    listed = pd.DataFrame({"path": films["file"], "sha256": films["content"], "near_group": films["picture_group"],
                           "source_group": films["picture_group"], "in_372": (films["n_legs"] == 1).astype(float),
                           "split_42": ["train", "test"] * (len(films) // 2)})  # fmt: skip
    gone = pd.DataFrame({"path": ["osteopenia/x.jpg", "osteopenia/y.jpg"], "split_42": "train"})
    return pd.concat([listed, gone], ignore_index=True)


@pytest.fixture
def files(films, listed):
    return counts.with_listed(films.drop(columns="content"), listed)


@pytest.fixture
def linked(monkeypatch):
    """knee-wani: film A under osteopenia, film B under normal."""
    content = {"files": [{"path": "osteopenia/OP1.jpg", "sha256": "A", "bytes": 1, "phash": "0"},
                         {"path": "normal/N1.jpg", "sha256": "B", "bytes": 1, "phash": "0"}]}  # fmt: skip
    entries = [type("File", (), entry)() for entry in content["files"]]
    manifest = type("M", (), {"files": entries, "settings": {"mask_boxes": {"OP1": []}}})()
    for module in (counts, figures):
        monkeypatch.setattr(module, "load_manifest", lambda name: manifest)
    return counts.linked_files()


def test_a_class_is_the_sum_of_the_sets_that_went_in(files, listed, linked):
    made = counts.made_of(files, listed, linked)
    assert made.loc["normal"].to_dict() == {
        "listed": 13,
        "here": 13,
        "knee-wani": 1,
        "full size": 6,
        "small": 6,
        "odd": 0,
    }
    assert made.loc["osteopenia"].tolist() == [3, 1, 1, 0, 0, 0]
    assert (made["knee-wani"] + made["full size"] + made["small"] == made["here"]).all()
    assert counts.made_of(files.iloc[:-1], listed, linked)["odd"].sum() == 1


def test_how_many_there_are_by_hand(files, listed):
    rows = counts.composition(files, listed)
    assert rows.loc["normal"].tolist() == [13, 13, 7, 4, 2, 2, 0]
    assert rows.loc["all, each once"].tolist() == [24, 22, 12, 7, 3, 2, 2]


def test_folders_against_t_scores_by_hand(files):
    cross, many = counts.classes_of_films(files)
    assert cross.loc["normal"].tolist() == [9, 4, 0, 0, 0]
    assert cross.loc["osteoporosis"].tolist() == [0, 4, 0, 0, 4]
    assert many.to_dict() == {1: 2, 2: 0, 3: 1}
    cross, _ = counts.classes_of_films(files.assign(wani_label=np.nan))
    assert cross["rows of two classes"].sum() == files["wani_id"].notna().sum()


def test_layouts_are_possible_if_the_missing_files_can_make_them_up(files):
    table = counts.layouts(files, {"single": 21, "both": 5}, 24)
    assert table[["here", "at most", "possible"]].to_numpy().tolist() == [[20, 22, "yes"], [2, 4, "no"]]


def test_what_each_check_leaves(files):
    rows = counts.flow_table(files, files["picture_group"], 24)
    assert rows["files"].tolist() == [22, 12, 7, 7, 3] and rows["most_knees"].tolist() == [28, 18, 13, 13, 9]


def test_the_check_by_hash_joins_equal_pictures_and_no_noise(films, tmp_path):
    """Every content is noise of its own, but A1 is stored once more, a little darker."""
    darker = np.asarray(Image.open(tmp_path / "A1.png")) // 2
    Image.fromarray(darker).save(tmp_path / "A1 small.png")
    group, agreement = counts.hash_groups(films)
    assert group.nunique() == films["content"].nunique() - 1
    assert agreement.loc["same picture"].to_dict() == {"both": 1, "ours only": 4, "theirs only": 0}


def test_only_films_of_knee_wani_without_numbers_are_shown(files, linked):
    assert set(files.loc[figures.may_be_shown(files), "source_group"]) == {"B"}


def test_the_page_says_what_the_tables_hold(run, files, listed, linked):
    page.show_sets(run, files, listed)
    page.show_composition(run, files, listed)
    page.show_classes(run, files)
    assert run.facts["odd"] == 0 and run.facts["linked_here"] == 2 and run.facts["small_known"] == 1
    assert run.facts["n_films"] == 3 and run.facts["three"] == 1
    assert (run.facts["two_knees"], run.facts["apart"]) == (2, 1)  # A's knees differ, B's do not
    assert (run.facts["middle"], run.facts["ends"], run.facts["ends_agree"]) == (8, 9, 9)
    page.show_sheet(run, files)
    page.show_facts(run, files)
    assert run.facts["small_osteopenia"] == 0 and run.facts["both_osteopenia"] == 1
    assert (run.folder / "chain.png").is_file() and (run.folder / "films.png").is_file()


@pytest.mark.parametrize(("used", "said"), [(20, "at least {repeats} of its knees"), (10, "may be different pictures")])
def test_the_flow_says_repeats_only_where_the_bounds_ask_for_them(run, files, listed, linked, monkeypatch, used, said):
    page.show_sets(run, files, listed)
    texts = []
    monkeypatch.setattr(page, "say", lambda run, text: texts.append((text, text.format(**run.facts))))
    paper = {"flow.s1_single": 20, "flow.s1_bi": 4, "stage1.n": used, "n_dev": 30}
    page.show_flow(run, files, listed, paper)
    ((text, _),) = texts
    assert said in text and ("at least" in text) == (used == 20) and "the {whole:,} knees of both stages" in text
    assert run.facts["most_pictures"] == 13 and run.facts["repeats"] == used - 13 and run.facts["most_films"] == 9
    assert run.rows[-1]["published_id"] == "strnet2026_knee.flow.s1" and run.rows[-1]["value"] == 24


def test_the_public_split_by_hand(run, files):
    """Rows alternate between train and test, and equal files stand in pairs: each test file has its twin in train."""
    page.show_split(run, files)
    assert run.facts["n_test"] == 11 and run.facts["test_bytes"] == 10  # B as a film stands once
    assert run.facts["test_film"] == 11


@pytest.fixture
def searched():
    crops = pd.DataFrame({"crop": list("abcd"), "film": list("wxyz"), "detail": [0.98, 0.95, 0.75, 0.4],
                          "scale": [0.9, 1, 1, 1], "fits": [True, True, True, False]})  # fmt: skip
    others = pd.DataFrame({"crop": list("ab"), "film": list("yz"), "detail": [0.8, 0.5], "scale": 1.0})
    pairs = pd.DataFrame({"a": list("ac"), "b": list("bd"), "detail": [0.97, 0.1], "same": [True, False]})
    return pairs, crops, others


def test_how_often_a_wrong_film_fits_has_wilson_s_interval(run, searched):
    sameness.show_detail(run, *searched, 0.7)
    row = run.rows[-1]
    assert row["value"] == 0.5 and (row["ci_low"], row["ci_high"]) == pytest.approx((0.0945, 0.9055), abs=1e-3)
    assert run.facts["n_below"] == 1 and run.facts["top_other"] == 0.8


@pytest.mark.parametrize(("finer", "left"), [(0.9, 0), (0.6, 1)])
def test_a_join_in_doubt_is_confirmed_above_the_wrong_films_only(run, searched, finer, left):
    _, crops, others = searched
    looked = {"in doubt": crops[2:3].assign(finer=finer), "clear": crops[:2].assign(finer=[0.95, 0.99]),
              "wrong": others.assign(finer=[0.7, 0.4])}  # fmt: skip
    sameness.show_again(run, looked)
    assert run.facts["n_open"] == left and run.facts["n_confirmed"] == 1 - left and run.facts["line"] == 0.7


def test_the_other_count_beside_ours(run, files, searched):
    """The other count has pictures only: all pairs of A, and of B, but those within a picture are ours alone."""
    run.fact(top_other=0.8, line=0.7)
    crops = pd.DataFrame({"crop": [files["image_id"][2]], "film": [files["image_id"][0]], "detail": 0.97, "scale": 0.9,
                          "fits": True})  # fmt: skip
    sameness.show_earlier(run, files, crops)
    assert run.facts["n_new"] == 1 and run.facts["new_high"] == 1 and run.facts["theirs_only"] == 0
    table = pd.read_csv(run.folder / "earlier.csv", index_col=0)
    assert table.loc["same picture", "ours only"] == 0 and table.loc["same film"].tolist() == [5, 16, 0]


@pytest.mark.parametrize(("theirs", "right"), [(0.95, 1), (0.6, 0)])
def test_where_the_other_count_names_another_film_the_finer_look_decides(run, files, monkeypatch, theirs, right):
    """A crop of A stands with the film of B in the other count; the film of A says 0.8 in the finer look."""
    run.fact(top_other=0.8, line=0.7)
    crop, film, other = files["image_id"][2], files["image_id"][0], files["image_id"][1]
    files = files.assign(earlier=files["earlier"].where(files["content"] != "A1", "B"))
    crops = pd.DataFrame({"crop": [crop], "film": [film], "detail": 0.97, "scale": 0.9, "fits": True})
    assert counts.other_films(files, crops)[["crop", "ours", "theirs"]].to_numpy().tolist() == [[crop, film, other]]
    values = iter([0.8, theirs])
    monkeypatch.setattr(sameness, "look_anywhere", lambda *pixels: next(values))
    sameness.show_earlier(run, files, crops)
    assert (run.facts["n_asked"], run.facts["theirs_right"]) == (1, right)


def test_planted_and_false_are_recorded(run, files):
    kinds = pd.Index(["one knee, full height", "one knee, 0.9, mirrored", "mirrored"], name="kind")
    rows = pd.DataFrame({"n": 4, "found": [4, 0, 3], "wrong": [0, 2, 1], "recall": [1, 0, 0.75],
                         "ci_low": [0.5, 0, 0.3], "ci_high": [1, 0.5, 0.95]}, kinds)  # fmt: skip
    sameness.show_planted(run, rows)
    sameness.show_false(run, files)
    assert run.facts["recall_upright"] == "1.00 (0.51 to 1.00)" and run.facts["wrong_upright"] == 0
    assert run.rows[-1]["metric"] == "recall, mirrored" and run.facts["own_pairs"] == 1 == 1 + run.facts["own_joined"]


def test_pairs_that_may_not_be_shown_are_left_out(run, files, linked):
    a, b = files.loc[files["source_group"] == "A", "image_id"].iloc[:2]
    c, d = files.loc[(files["source_group"] == "B") & ~files["small"], "image_id"].iloc[:2]
    pairs = pd.DataFrame({"a": [a, c], "b": [b, d], "detail": [0.8, 0.8]})
    sameness.show_pairs(run, files, pairs, 0.6, 0.9)
    assert (run.folder / "near_pairs.png").is_file()


def test_the_place_is_drawn_on_the_film():
    figure = figures.place_figure(np.eye(30), np.eye(60), (0.5, 0.0, 1.0, 0.5), ("crop", "film"))
    box = figure.axes[1].patches[0]
    assert (box.get_x(), box.get_width(), box.get_height()) == (30, 30, 30)
    assert figure.axes[2].images[0].get_array().shape == (30, 30)
