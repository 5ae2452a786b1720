"""Pages with a reader's own films: a folder of the documented minimum, and what a page says that it leaves out."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from osteolib.runs import ROOT, list_notebooks


class Project:
    """The project's notebooks and code with manifests and a store of their own, and own folders of phantom films."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        for name in ("notebooks", "osteolib", "requirements.txt"):
            (root / name).symlink_to(ROOT / name)
        own = shutil.ignore_patterns("*.local.yaml")
        shutil.copytree(ROOT / "data_manifests", root / "data_manifests", ignore=own)
        self.env = {k: v for k, v in os.environ.items() if k not in ("OSTEO_DATA", "OSTEO_BOOK")}
        self.env |= {"OSTEO_ROOT": str(root), "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}

    def python(self, code: str) -> None:
        subprocess.run([sys.executable, "-c", code], env=self.env, check=True, cwd=self.root)

    def page(self, name: str, **parameters: str | int) -> tuple[subprocess.CompletedProcess, str]:
        """One notebook in the profile ``smoke``, and all that it shows as text."""
        out = self.root / f"{name}.ipynb"
        given = [word for key, value in ({"profile": "smoke"} | parameters).items() for word in ("-p", key, str(value))]
        command = [sys.executable, "-m", "papermill", "--no-progress-bar", str(ROOT / "notebooks" / f"{name}.ipynb")]
        done = subprocess.run(
            [*command, str(out), *given], env=self.env, cwd=self.root, capture_output=True, text=True, check=False
        )
        outputs = [o for c in nbformat.read(out, as_version=4).cells for o in c.get("outputs", [])]
        shown = [o.text if o.output_type == "stream" else str(dict(o.get("data", {}))) for o in outputs]
        return done, "\n".join(shown)


MAKE = """
import shutil
from pathlib import Path
from osteolib.cohorts import add_folder, load_cohort
from osteolib.cohorts.films import measure_film

def shows_legs(path):  # so small, a film of a thick leg may hold nothing that is called one
    try:
        return bool(measure_film(path, knees=True))
    except ValueError:
        return False

knees = load_cohort("knee-phantom", n_subjects={n}, seed=4, size=128).subjects.drop_duplicates("image_id")
knees = knees[[shows_legs(Path(path)) for path in knees["path"]]].copy()
hands = load_cohort("hand-phantom", n_subjects=6, seed=3, size=128).subjects
for name, films, bone in (("my-knees", knees, "knee"), ("my-hands", hands, "hand")):
    folder = Path(name)
    folder.mkdir()
    for path in films["path"]:
        shutil.copy(path, folder)
    films["image"] = films["path"].map(lambda path: Path(path).name)
    films[["subject_id", "image", "t_score"]].to_csv(folder / "people.csv", index=False)
    add_folder(folder, name, bone=bone)
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Project:
    made = Project(tmp_path_factory.mktemp("own") / "project")
    made.python(MAKE.format(n=40))
    return made


TAKES = {n.name: n for n in list_notebooks() if "cohort" in n.parameters}


def test_a_page_that_takes_a_cohort_says_what_it_may_be_and_looks_at_it_first():
    assert set(TAKES) >= {"02_knee_shortcuts", "03_two_measurements", "04_knee_training", "07_knee_heatmaps",
                          "08_knee_realism", "10_knee_t_scores", "21_hand_segmentation", "30_knee_scores"}  # fmt: skip
    for name, notebook in TAKES.items():
        assert len(notebook.parameters["cohort"].meaning.split()) > 4, name
        code = "\n".join(source for kind, source in notebook.cells if kind == "code")
        starts = code.index("osteolib.start(")
        if name != "03_two_measurements":  # a table of any bone will do there
            looks = re.search(r"own_films\.(check|load)_films\(", code)
            assert looks and starts < looks.start() < starts + 200, f"{name} begins before it looks at the cohort"
        others = [line for line in code.splitlines() if f'"{notebook.parameters["cohort"].default}"' in line]
        assert all("cohort" in line for line in others), f"{name} names its own cohort: {others}"


def test_shortcuts_of_a_folder_without_age_bmi_and_sex(project):
    done, shown = project.page("02_knee_shortcuts", cohort="my-knees")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Left out on this page" in shown and "`age_years`, `bmi_kg_m2`, `sex`" in shown
    assert "This run is of my-knees" in shown
    assert "Age alone reaches" not in shown and "File size, layout and grey level together" in shown


def test_two_measurements_of_a_folder_with_one_t_score_a_person(project):
    done, shown = project.page("03_two_measurements", cohort="my-knees")
    assert done.returncode == 0, done.stderr[-2000:]
    assert shown.count("Left out on this page") == 1
    assert "add the columns `t_score_neck`, `t_score_total_hip` to the table" in shown
    assert "Bland" not in shown and "image/png" not in shown


def test_a_page_on_knees_refuses_hands_in_one_line(project):
    done, _ = project.page("02_knee_shortcuts", cohort="my-hands")
    last = [line for line in done.stderr.splitlines() if line.strip()][-1]
    assert done.returncode == 1
    assert last.startswith("ParameterError: cohort = 'my-hands' has films of the hand, this page takes real films of")
    assert "choose knee-wani, my-knees" in last and "--bone knee" in last
