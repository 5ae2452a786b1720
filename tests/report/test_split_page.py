"""The page on four splits: its tables against counts by hand and scikit-learn, its sentences against their numbers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from osteolib.report import split_networks, split_page, split_tables
from osteolib.report.compared import DIFFERENCES, ROWS, Comparison
from osteolib.screen.copies import FACTS, FREE, HELD, NEAREST


@pytest.fixture(scope="module")
def knees() -> pd.DataFrame:
    """24 films: two pictures each, the first stored twice as the same bytes; labels alternate by film."""
    rows = []
    for film in range(24):
        label = ("normal", "osteopenia", "osteoporosis", "normal")[film % 4]
        for copy, (picture, content) in enumerate([("a", "x"), ("a", "x"), ("b", "y")]):
            rows.append((f"{film}-{copy}", label, f"{film}{picture}{content}", f"{film}{picture}", str(film)))
    table = pd.DataFrame(rows, columns=["unit_id", "label", "bytes_group", "picture_group", "source_group"])
    facts = {"original_width": 128.0, "original_height": 256.0, "film_layout": "single", "wani_file": False,
             "wani_label": table["label"]}  # fmt: skip
    return table.assign(**facts)


@pytest.fixture(scope="module")
def looked_at(knees):
    """A feature that names the film and nothing else: it can be remembered, not understood."""
    rng = np.random.default_rng(0)
    of_film = rng.normal(size=(24, 120)).astype(np.float32)
    seen = of_film[knees["source_group"].astype(int)]
    return {FREE: seen, HELD: np.tile(seen, 2), NEAREST: seen, FACTS: seen[:, :3]}


@pytest.fixture(scope="module")
def compared(knees, looked_at):
    return split_page.compare_splits(knees, looked_at, 4, n_boot=100, seed=0)


def test_what_crosses_each_split_is_what_it_lets_cross(knees):
    across = split_page.copies_across(knees, 4, seed=0)
    assert across["groups"].tolist() == [72, 48, 48, 24]
    assert (across.loc["by film", list(split_page.GRADES)] == 0).all()
    assert across.loc["by bytes", "the same bytes"] == across.loc["by picture", "the same picture"] == 0
    assert across.loc["by image", "the same bytes"] <= 2 / 3 < across.loc["by image", "the same film"]


def test_a_label_that_only_the_film_knows_is_remembered_by_image_and_not_by_film(knees, compared):
    compared, scores = compared
    assert compared.estimate(f"{NEAREST}, by image")[0] > 0.95
    assert compared.estimate(f"{NEAREST}, by film")[0] < 0.75
    y = knees["label"] != "normal"
    assert compared.estimate(f"{FREE}, by film")[0] == pytest.approx(roc_auc_score(y, scores["film"][FREE]))
    shown = split_page.by_split(compared)
    assert shown["model"].tolist() == [FREE, HELD, NEAREST, FACTS]
    assert split_page.splits_figure(compared, 0.9, 0.8, {"image": (0.9, 0.8, 0.95)}).axes[0].get_ylabel()


def comparison(by_image: float, by_film: float, half: float = 0.03) -> Comparison:
    rows, differences = [], []
    for model in split_page.LOOKS:
        for split, value in {"image": by_image, "bytes": by_image, "picture": by_film, "film": by_film}.items():
            rows.append((f"{model}, by {split}", "auroc", value, value - half, value + half, 99, 9, np.nan))
        change = by_film - by_image
        pair = f"{model}, by film", f"{model}, by image"
        differences.append((*pair, "auroc", change, change - half, change + half, 99, 9))
    return Comparison(pd.DataFrame(rows, columns=list(ROWS)), pd.DataFrame(differences, columns=list(DIFFERENCES)))


def test_the_sentence_follows_its_numbers(knees):
    told = split_page.in_words(comparison(0.92, 0.70), knees, printed=0.933)
    said = told["sentence"].format(**told)
    assert "reaches the printed value" in said and "4 of the 4 models fall" in said and "lies above chance" in said
    told = split_page.in_words(comparison(0.80, 0.79), knees, printed=0.933)
    said = told["sentence"].format(**told)
    assert "reaches the printed value" not in said and "0 of the 4 models fall" in said
    told = split_page.in_words(comparison(0.80, 0.51), knees, printed=0.933)
    assert "cannot be told from chance" in told["sentence"]


def labels(folder_film: float, t_film: float) -> pd.DataFrame:
    rows = []
    for by, values in {"folder": (0.9, folder_film), "T-score": (0.9, t_film)}.items():
        for split, value in zip(("image", "film"), values, strict=True):
            rows.append((by, split, 20, 12, HELD, value, value - 0.05, value + 0.05))
    columns = ["labels by", "split", "normal", "normal_films", "model", "auroc", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("folder", "t_score", "said"),
    [(0.7, 0.52, "belongs to the folders"), (0.7, 0.6, "under both labels"), (0.53, 0.52, "Under neither label")],
)
def test_what_is_left_is_said_for_the_label_that_holds_it(folder, t_score, said):
    shown, facts = split_tables.labels_in_words(labels(folder, t_score))
    assert said in facts["labels_sentence"].format(**facts)
    assert len(shown) == 4 and facts["normal_films"] == 12


def test_both_labels_are_scored_on_the_linked_knees_only(knees, looked_at):
    some = knees.assign(wani_label=knees["label"].where(knees["source_group"].astype(int) < 16))
    one = {HELD: looked_at[HELD]}
    found = split_tables.under_both_labels(some, one, 4, n_boot=100, seed=0)
    assert set(found["normal"]) == {24} and set(found["normal_films"]) == {8}
    same = found.pivot(index=["split", "model"], columns="labels by", values="auroc")
    assert same["folder"].tolist() == same["T-score"].tolist()  # here both labels agree


def test_a_model_learns_from_one_stage_and_is_tested_on_the_other(knees, looked_at):
    stage2 = knees.assign(wani_file=(knees["source_group"].astype(int) < 20) & knees["unit_id"].str.endswith("-2"))
    row, about = split_tables.stage_table(stage2, looked_at, n_boot=100, seed=0)
    assert about == {"stage2_films": 20, "stage2_known": 20, "films_left": 4}
    assert row.loc[0, ["test knees", "normal"]].tolist() == [20, 10]


def test_knees_with_and_without_a_copy_stand_apart(knees, looked_at, compared):
    found = split_tables.with_and_without(knees, compared[1]["film"], looked_at, 100, 0)
    assert found["knees"].tolist() == [0, 72]  # split by film nothing has a copy elsewhere
    assert found.loc[0, FREE] == "one class only"


def test_strata_are_layout_and_size(knees):
    other = knees.head(3).assign(film_layout=["single", "bilateral", "single"], original_height=[256.0, 1000.0, 2600.0])
    assert split_tables.shortcut_strata(other).tolist() == ["single, small", "bilateral, middle", "single, large"]


@pytest.fixture
def predictions() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 80
    y = np.arange(n) % 2
    score = np.clip(0.5 + 0.2 * (2 * y - 1) + rng.normal(0, 0.2, n), 0, 1)
    base = pd.DataFrame({"y_true": y.astype(float), "y_score": score,
                         "unit_id": [f"k{i}" for i in range(n)], "split_group": np.arange(n).astype(str),
                         "target": "bone_loss"})  # fmt: skip
    t = base.assign(target="t_score", y_true=-y - 1.0, y_score=-base["y_score"])
    parts = [base.assign(split="test"), base.assign(split="validation"), base.assign(split="test", target="severity"),
             t.assign(split="test")]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_a_networks_row_agrees_with_scikit_learn(predictions):
    t_class = pd.Series(["normal", "osteopenia"] * 10, index=[f"k{i}" for i in range(20)])
    row = split_tables.measured(predictions, t_class, n_boot=100, seed=0)
    test = predictions.query("target == 'bone_loss' and split == 'test'")
    assert row["AUROC"].startswith(f"{roc_auc_score(test.y_true, test.y_score):.2f}")
    assert row["AUPRC"].startswith(f"{average_precision_score(test.y_true, test.y_score):.2f}")
    first = test[:20]  # whose class by T-score is their folder's
    assert row["AUROC, T-score's class"].startswith(f"{roc_auc_score(first.y_true, first.y_score):.2f}")
    tau = float(row["threshold"])
    assert (test.y_score[test.y_true == 1] >= tau).mean() >= 0.86  # validation and test are the same knees here
    t = predictions.query("target == 't_score'")
    assert row["T-score r"].replace("−", "-").startswith(f"{np.corrcoef(t.y_true, t.y_score)[0, 1]:.2f}")


def test_recorded_networks_stand_beside_live_and_print(predictions, monkeypatch):
    size = {"backbone": "resnet18", "initialisation": "none", "image_size": 32, "epochs": 1}
    records = {"stage1-film-0": SimpleNamespace(run={"configuration": size}, stale=True, predictions=predictions)}
    monkeypatch.setattr(split_tables, "read_record", records.get)
    paper = pd.DataFrame({"reported": "0.9"}, index=list(split_tables.PRINTED.values()))
    cells = ["stage1-film-0", "stage1-image-0"]
    made, missing = split_tables.network_table(
        {"image": predictions}, "small", cells, paper, pd.Series(dtype=str), 100, 0
    )
    assert made["split"].tolist() == ["not published", "by image", "by film"]
    assert made.loc[0, "AUROC"] == "0.9" and "other code" in made.loc[2, "network"]
    assert missing == ["stage1-image-0"]
    assert made.loc[1, "AUROC"] == made.loc[2, "AUROC"] != ""


def test_panels_show_the_networks_own_counts(predictions, monkeypatch):
    history = pd.DataFrame({"epoch": [0, 1], "auprc": [0.6, 0.7], "auroc": [0.6, 0.8]})
    record = SimpleNamespace(history=history, predictions=predictions)
    monkeypatch.setattr(split_networks, "read_record", {"stage1-film-0": record}.get)
    no_t = predictions[predictions["target"] != "t_score"]
    chosen = split_networks.longest_trained({"image": (history, no_t), "film": (history, no_t)}, seed=0)
    assert [network.about for network in chosen.values()] == ["live", "recorded"]
    figure = split_networks.network_panels(chosen)
    told = [text.get_text() for text in figure.axes[2].texts]
    assert sum(int(text.split()[0]) for text in told) == 80
    assert figure.axes[3].texts[0].get_text() == "no T-score here" and not figure.axes[7].texts
    hopeless = predictions.assign(y_score=0.0)  # no threshold of the grid calls anybody
    figure = split_networks.network_panels({"image": split_networks.Trained(history, hopeless, "live")})
    assert "no threshold" in figure.axes[2].texts[0].get_text()


def networks(image, film):
    row = {"split": "test", "target": "bone_loss", "metric": "auroc"}
    other = row | {"split": "validation", "value": 0.1, "ci_low": 0.0, "ci_high": 0.2}
    return {
        split: SimpleNamespace(
            results=pd.DataFrame([other, row | {"value": value, "ci_low": value - 0.05, "ci_high": value + 0.05}])
        )
        for split, value in {"image": image, "film": film}.items()
    }


@pytest.mark.parametrize(("film", "epochs", "said"), [(0.8, 4, "meet"), (0.6, 8, "do not meet")])
def test_short_networks_are_told_as_what_they_are(film, epochs, said):
    told = split_tables.networks_in_words(split_tables.networks_auroc(networks(0.85, film)), epochs, {})
    sentence = told["networks_sentence"].format(**told)
    assert said in sentence and ("not begun" in sentence) == (epochs == 4) and "recorded" not in sentence


@pytest.mark.parametrize(("film", "said"), [(0.92, "These intervals meet, too"), (0.7, "further than chance")])
def test_recorded_networks_are_told_beside_where_all_are_there(film, said, monkeypatch):
    records = {f"stage1-{split}-0": record for split, record in networks(0.95, film).items()}
    monkeypatch.setattr(split_tables, "read_record", records.get)
    longer = split_tables.recorded_networks(["image", "film"], 0)
    told = split_tables.networks_in_words(split_tables.networks_auroc(networks(0.8, 0.8)), 4, longer)
    sentence = told["networks_sentence"].format(**told)
    assert f"0.95 (0.90 to 1.00) by image and {film:.2f}" in sentence and said in sentence
    assert split_tables.recorded_networks(["image", "film"], 7) == {}  # no cell of that seed is declared
    del records["stage1-film-0"]
    assert split_tables.recorded_networks(["image", "film"], 0) == {}
