import os
import re
import subprocess
import sys
from itertools import product

import numpy as np
import pytest

from osteolib.cohorts import load_cohort
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.runs.paths import ROOT
from osteolib.screen import hand_grid
from osteolib.screen.bone_probe import split_bones
from osteolib.screen.hand_grid import (
    LARGE,
    cut_segments,
    grid_encoder,
    grid_recipe,
    taught_recipe,
    with_grey,
    with_new_people,
)
from osteolib.segment.bones import bone_images, film_rows
from osteolib.ssl.losses import METHODS
from osteolib.views.multicrop import CROPS


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("osteolib.runs.store.STORE", tmp_path_factory.mktemp("store"))
        return load_cohort("hand-phantom", n_subjects=32, size=film_rows(32))


@pytest.fixture(scope="module")
def segments(cohort):
    return cut_segments(cohort, 32)


def test_every_bone_of_every_hand_is_an_image_or_has_a_reason(cohort, segments):
    table, missing = segments.table, segments.missing
    assert len(table) + len(missing) == 7 * len(cohort.subjects)
    assert len(segments.images) == len(table) and segments.images.dtype == np.uint8
    assert table["bone_id"].is_unique and (missing["reason"] != "").all()
    hand = cohort.subjects.iloc[3]
    cut = bone_images(read_radiograph(hand.path).pixels / 255, read_masks(hand.masks_path, hand.image_id), 32)
    mine = table["subject_id"].eq(hand.subject_id).to_numpy()
    assert table["bone"][mine].tolist() == list(cut.images)
    for image, expected in zip(segments.images[mine], cut.images.values(), strict=True):
        np.testing.assert_allclose(image / 255, expected.clip(0, 1), atol=0.5 / 255 + 1e-6)
    assert (table["y"][mine] == (hand.label == "osteoporosis")).all()


def test_the_papers_sizes_come_with_their_network():
    recipe = grid_recipe("vicreg", "extended", 2, "resnet50", 100, 512)
    assert (recipe.encoder, recipe.crops, recipe.batch_size, recipe.head) == ("resnet50", CROPS, 128, "paper")
    assert (recipe.min_content, recipe.seed, recipe.epochs) == (0.1, 2, 100)
    queues = [grid_recipe(m, "extended", 2, b, 100, 512).queue for m in METHODS for b in ("resnet50", "resnet18")]
    assert [METHODS[k // 2] for k, n in enumerate(queues) if n] == ["swav"] and queues[
        2 * METHODS.index("swav")
    ] == 3840
    small = grid_recipe("vicreg", "conventional", 0, "resnet18", 10, 128)
    assert [(c.n, c.size, c.scale) for c in small.crops] == [(2, 64, CROPS[0].scale), (4, 32, CROPS[1].scale)]
    assert small.min_content == 0
    large = grid_recipe("vicreg", "large", 0, "resnet18", 10, 128)
    assert [(c.n, c.size, c.scale) for c in large.crops] == [(2, 64, LARGE)]


def test_labels_are_taught_on_whole_bones_or_on_the_views_of_the_pre_training():
    views = grid_recipe("simclr", "extended", 3, "resnet18", 10, 128)
    whole, same = (taught_recipe(kind, 3, "resnet18", 10, 128) for kind in ("whole", "views"))
    assert (same.crops, same.min_content, same.encoder) == (views.crops, views.min_content, views.encoder)
    assert [(c.n, c.size) for c in whole.crops] == [(1, 96)] and whole.lr > same.lr
    assert whole.seed == same.seed == 3 and whole.epochs == same.epochs == 10


def test_ranks_change_grey_levels_and_nothing_else(segments):
    ranks = with_grey(segments, "ranked")
    assert with_grey(segments, "filmed") is segments and ranks.table is segments.table
    bone = segments.images[0] > 0
    assert ((ranks.images[0] > 0) == bone).all()
    order = np.argsort(segments.images[0][bone], kind="stable")
    assert (np.diff(ranks.images[0][bone][order].astype(int)) >= 0).all()


def test_new_people_are_others_though_they_have_the_same_names(segments):
    both = with_new_people(segments, segments)
    assert len(both.images) == len(both.table) == 2 * len(segments.table) and both.table["bone_id"].is_unique
    assert both.table["subject_id"].nunique() == 2 * segments.table["subject_id"].nunique()
    assert both.table["split_group"].nunique() == 2 * segments.table["split_group"].nunique()
    assert (both.table["y"].to_numpy() == np.tile(segments.table["y"], 2)).all()
    assert len(both.missing) == 2 * len(segments.missing)


@pytest.mark.parametrize("method", ["simclr", "supcon"])
def test_only_training_bones_are_learned_from_and_only_supcon_is_told_labels(segments, method, monkeypatch):
    part = split_bones(segments.table, segments.table["y"], n_folds=4)
    monkeypatch.setattr(hand_grid, "pretrained", lambda *given: given)
    recipe = grid_recipe(method, "extended", 0, "resnet18", 1, 32)
    images, groups, labels, held_out, given = grid_encoder(segments, part, recipe)
    np.testing.assert_array_equal(images, segments.images[part == "train"])
    assert not set(groups) & held_out and set(groups) | held_out == set(segments.table["subject_id"])
    told = segments.table["y"][part == "train"] if method == "supcon" else np.full((part == "train").sum(), np.nan)
    np.testing.assert_array_equal(labels, told)
    assert given == recipe


def test_a_job_makes_the_cell_that_the_page_reads(cohort, segments, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(hand_grid, "load_cohort", lambda *_, **__: cohort)
    monkeypatch.setattr(hand_grid, "pretrained", lambda *given: tmp_path / f"{given[4].method}-{given[4].seed}")
    hand_grid.main("smoke", "swav", "conventional", "filmed", 1)
    part = split_bones(segments.table, segments.table["y"], n_folds=hand_grid.N_FOLDS)
    recipe = grid_recipe("swav", "conventional", 1, "resnet18", 1, 32)
    assert capsys.readouterr().out.strip() == str(grid_encoder(segments, part, recipe))


def test_the_grid_is_a_job_for_each_method_views_grey_and_seed():
    """Of the three seeds that the paper's profile has."""
    snakemake = [sys.executable, "-m", "snakemake", "hand_grid", "--dry-run", "--cores", "1", "--nolock"]
    env = os.environ | {"OSTEO_LOCK": "held"}  # nothing is made: a book may be at work
    command = [*snakemake, "--config", "profile=paper"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    jobs = re.findall(r"wildcards: method=(\w+), crops=(\w+), grey=(\w+), seed=(\d+)", done.stdout + done.stderr)
    views = [("conventional", "ranked"), ("extended", "ranked"), ("large", "ranked"), ("extended", "filmed")]
    wanted = [(m, *view, seed) for m, view, seed in product(METHODS, views, "012")]
    assert sorted(jobs) == sorted(wanted), done.stdout + done.stderr
