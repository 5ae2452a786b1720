"""A page with another cohort than its own: whether it can take it, and what it leaves out for what the cohort lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from osteolib.cohorts import Cohort, bone_loss, grouped_folds, list_manifests, load_manifest
from osteolib.cohorts.manifest import Manifest
from osteolib.report.show import leave_rest_unexecuted, load_or_explain, provenance, say
from osteolib.runs import Run
from osteolib.runs.parameters import ParameterError

BONES = {"knee_wani": "knee", "strnet_stage1": "knee", "hand_rsna": "hand"}
"""Readers of public films, and the bone that these show; an own folder says it in its manifest."""

WORDS = {"age_years": "age", "bmi_kg_m2": "body mass index", "sex": "sex", "t_score": "T-score",
         "t_score_neck": "T-score of the femoral neck", "t_score_total_hip": "T-score of the total hip",
         "t_score_spine": "T-score of the spine"}  # fmt: skip


SCREENED = {"normal bone": ["normal"], "bone loss": ["osteopenia", "osteoporosis"]}
SEVERITY = {"osteopenia": ["osteopenia"], "osteoporosis": ["osteoporosis"]}
FEWEST_FOLDS = 3  # one tests, one validates, one trains


def bone_of(manifest: Manifest) -> str | None:
    """Which bone the films of a cohort show; ``None`` where it has no films that a page takes."""
    return manifest.settings["bone"].strip().lower() if manifest.reader == "own" else BONES.get(str(manifest.reader))


def check_films(name: str, bone: str, default: str) -> None:
    """Refuse a cohort that a page on real films of ``bone`` cannot take, before anything is computed.

    Raises
    ------
    ParameterError
        It shows another bone, has no films or is simulated; the message names both and what to choose.
    """
    manifest = load_manifest(name)
    shown = bone_of(manifest)
    if shown == bone:
        return
    what = ("is simulated" if manifest.kind == "phantom" else f"has films of the {shown}" if shown
            else "has no films that a page takes")  # fmt: skip
    own = [m.name for m in list_manifests() if m.reader == "own" and bone_of(m) == bone]
    raise ParameterError(
        f"cohort = {name!r} {what}, this page takes real films of the {bone}: choose {', '.join([default, *own])}, or "
        f"add a folder of your own with `osteolib data add FOLDER --name NAME --bone {bone}`"
    )


def load_films(run: Run, name: str, bone: str, default: str, **options: Any) -> Cohort | None:
    """:func:`osteolib.report.load_or_explain` of a cohort that :func:`check_films` lets pass.

    Where it is not the page's own, ``default``, a line says what of the page is about that one still.
    """
    check_films(name, bone, default)
    cohort = load_or_explain(run, name, **options)
    if name != default:
        show_other(run, name, default)
    return cohort


def show_other(run: Run, name: str, default: str) -> None:
    """Say that a page was run on another cohort than the one it is written for."""
    run.fact(cohort_name=name, written_for=default)
    say(run, "**This run is of {cohort_name}.** Its tables, figures and printed sentences are computed from it. The "
        "running text was written for {written_for}: what it says of the people, of their labels or of published "
        "numbers holds for those.")  # fmt: skip


def show_left_out(run: Run, cohort: Cohort, parts: Mapping[str, str]) -> set[str]:
    """Say in one line what a page leaves out, and which columns would bring it; nothing where nothing is lacking.

    Parameters
    ----------
    parts
        Column of the contract, to what a page cannot show where it has no value.

    Returns
    -------
    The columns of ``parts`` without any value.
    """
    lacking = columns_without_values(cohort.subjects, list(parts))
    if lacking:
        words = ", no ".join(WORDS.get(column, column) for column in lacking)
        named = ", ".join(f"`{column}`" for column in lacking)
        remedy = (
            "the set has none"
            if cohort.manifest.reader != "own"
            else f"add the column{'s' * (len(lacking) > 1)} {named} to the table and run `osteolib data add` again"
        )
        run.fact(lacking=words, without="; ".join(dict.fromkeys(parts[column] for column in lacking)), remedy=remedy,
                 cohort_name=cohort.name)  # fmt: skip
        say(run, "**Left out on this page**, because {cohort_name} has no {lacking}: {without}. To see it, {remedy}."
            if cohort.manifest.reader == "own" else
            "**Left out on this page**, because {cohort_name} has no {lacking} ({remedy}): {without}.")  # fmt: skip
    return set(lacking)


def columns_without_values(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Those of ``columns`` that are absent from ``frame`` or empty in every row."""
    return [column for column in columns if column not in frame or frame[column].isna().all()]


def sets_that_are_here(films: pd.DataFrame, sets: Mapping[str, Sequence[str]], everything: str) -> dict[str, list[str]]:
    """Named sets of columns without those that lack a value in every row.

    The set ``everything`` keeps the columns that are here, and goes where another set holds the same ones.
    """
    lacking = set(columns_without_values(films, sets[everything]))
    kept = {name: list(columns) for name, columns in sets.items() if name != everything and not lacking & set(columns)}
    rest = [column for column in sets[everything] if column not in lacking]
    return kept if any(set(rest) == set(columns) for columns in kept.values()) else kept | {everything: rest}


def end_page(run: Run, cohort: Cohort, needed: Sequence[str], why: str) -> bool:
    """Say that a page cannot go on without some columns, and leave its other cells unexecuted; ``False`` if it can."""
    lacking = columns_without_values(cohort.subjects, needed)
    if not lacking:
        return False
    show_left_out(run, cohort, dict.fromkeys(lacking, why))
    stop(run)
    return True


def show_too_few(run: Run, cohort: Cohort, classes: Mapping[str, Sequence[str]], n_folds: int, parts: str) -> bool:
    """Say in one line what a page leaves out because an own folder has too few people of a class, or none.

    Parameters
    ----------
    classes
        What a class is called, to the labels that it holds: :data:`SCREENED` or :data:`SEVERITY`.
    n_folds
        Each fold needs a person of each class; people whose films are copies of each other count once.
    parts
        What the page cannot show.

    Returns
    -------
    Whether it left that out. A public set lacks no class: where it has fewer people than folds, the folds refuse.
    """
    fewest = min(_people(cohort, classes).values())
    if cohort.manifest.reader != "own" or fewest >= n_folds:
        return False
    run.fact(fewest=fewest)
    fewer = ", or take fewer folds, `-p n_folds {fewest}`" if fewest >= FEWEST_FOLDS else ""
    _say_too_few(run, cohort, classes, f"{n_folds} of each are needed, one for each fold", parts, fewer)
    return True


def end_with_too_few(run: Run, cohort: Cohort, n_folds: int, parts: str) -> bool:
    """:func:`show_too_few` of people with and without bone loss, after which other cells stay unexecuted."""
    ended = show_too_few(run, cohort, SCREENED, n_folds, parts)
    if ended:
        stop(run)
    return ended


def end_without_training(run: Run, cohort: Cohort, n_folds: int, seed: int, parts: str) -> bool:
    """The same where STR-Net is trained: each fold's training needs osteopenia and osteoporosis as well."""
    if end_with_too_few(run, cohort, n_folds, parts):
        return True
    films, severities = cohort.subjects, {label for labels in SEVERITY.values() for label in labels}
    if cohort.manifest.reader != "own":
        return False
    fold = grouped_folds(films, bone_loss(films["label"]), n_folds, seed)
    trains = (films["label"][(fold != test) & (fold != (test + 1) % n_folds)] for test in range(n_folds))
    if all(severities <= set(labels) for labels in trains):
        return False
    _say_too_few(run, cohort, SEVERITY, f"not each of {n_folds} trainings has both", parts)
    stop(run)
    return True


def _people(cohort: Cohort, classes: Mapping[str, Sequence[str]]) -> dict[str, int]:
    films = cohort.subjects
    return {name: films["split_group"][films["label"].isin(labels)].nunique() for name, labels in classes.items()}


def _say_too_few(
    run: Run, cohort: Cohort, classes: Mapping[str, Sequence[str]], why: str, parts: str, otherwise: str = ""
) -> None:
    people = " and ".join(f"{n} with {name}" for name, n in _people(cohort, classes).items())
    run.fact(people=people, why=why, without=parts, file=cohort.manifest.table["file"], cohort_name=cohort.name)
    say(run, "**Left out on this page**, because of the people of {cohort_name} there are {people}, and {why}: "
        "{without}. To see it, add films of more people and their rows in {file}, and run `osteolib data add` again"
        + otherwise + ".")  # fmt: skip


def stop(run: Run) -> None:
    """Show how the page was made, as its last cell does, and leave its other cells unexecuted."""
    provenance(run)
    leave_rest_unexecuted()
