"""Pages with a reader's own films: a folder of the documented minimum, and what a page says that it leaves out."""

import base64
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
    """The project's notebooks and code with manifests and a store of their own, and an own folder of phantom films."""

    def __init__(self, root: Path) -> None:
        self.root, self.pages = root, {}
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
        out = self.root / f"{name}-{'-'.join(map(str, parameters.values()))}.ipynb"
        if out in self.pages:
            return self.pages[out]
        given = [word for key, value in ({"profile": "smoke"} | parameters).items() for word in ("-p", key, str(value))]
        command = [sys.executable, "-m", "papermill", "--no-progress-bar", str(ROOT / "notebooks" / f"{name}.ipynb")]
        done = subprocess.run(
            [*command, str(out), *given], env=self.env, cwd=self.root, capture_output=True, text=True, check=False
        )
        outputs = [o for c in nbformat.read(out, as_version=4).cells for o in c.get("outputs", [])]
        shown = [o.text if o.output_type == "stream" else str(dict(o.get("data", {}))) for o in outputs]
        self.pages[out] = done, "\n".join(shown)
        return self.pages[out]


SECRET = {"PatientName": "SECRETNAME^X", "PatientID": "SECRETNUMBER7", "PatientBirthDate": "18990817",
          "PatientAddress": "SECRETSTREET 4711", "PatientTelephoneNumbers": "0049895550143", "StudyDate": "18991123",
          "AccessionNumber": "SECRETACC7733", "InstitutionName": "SECRETHOUSE", "PatientComments": "SECRETCOMMENT",
          "ReferringPhysicianName": "SECRETDOCTOR^Y"}  # fmt: skip
NOT_ASKED_FOR = {"name": "SECRETNAME X", "born": "17.08.1899", "phone": "0049 89 5550143", "ward": "SECRETWARD"}
MAKE = """
import shutil
from pathlib import Path
import numpy as np
import pydicom
from PIL import Image
from osteolib.cohorts import add_folder, load_cohort
from osteolib.phantoms.dicom import write_dicom

knees = load_cohort("knee-phantom", n_subjects={n}, seed=4, size=128).subjects.drop_duplicates("image_id")
hands = load_cohort("hand-phantom", n_subjects=6, seed=3, size=128).subjects
healthy = knees[knees["label"] == "normal"].head(4).copy()
for name, films, bone in (("my-knees", knees, "knee"), ("my-hands", hands, "hand"), ("my-healthy", healthy, "knee")):
    folder = Path(name)
    folder.mkdir()
    films["image"] = films["path"].map(lambda path: Path(path).stem + ".dcm")
    for path, image in zip(films["path"], films["image"]):
        view = "AP" if bone == "knee" else "PA"
        write_dicom(np.asarray(Image.open(path)), 0.2, folder / image, body_part=bone.upper(), view=view)
        film = pydicom.dcmread(folder / image)
        for keyword, value in {secret!r}.items():
            setattr(film, keyword, value)
        film.save_as(folder / image)
    table = films[["subject_id", "image", "t_score"]].assign(**{asked!r})
    table.to_csv(folder / "people.csv", index=False)
    add_folder(folder, name, bone=bone)
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Project:
    made = Project(tmp_path_factory.mktemp("own") / "project")
    made.python(MAKE.format(n=40, secret=SECRET, asked=NOT_ASKED_FOR))
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


def test_a_folder_of_one_class_ends_a_page_with_one_line_that_names_the_table(project):
    done, shown = project.page("02_knee_shortcuts", cohort="my-healthy")
    assert done.returncode == 0, done.stderr[-2000:]
    assert shown.count("Left out on this page") == 1 and "4 with normal bone and 0 with bone loss" in shown
    assert "add films of more people and their rows in people.csv" in shown
    assert "How this page was made" in shown and "AUROC" not in shown and "False" not in shown


def test_every_page_that_draws_folds_of_its_cohort_ends_where_a_class_lacks():
    ends = {name: re.search(r"own_films\.end_with(out_training|_too_few)\(", "\n".join(s for _, s in notebook.cells))
            for name, notebook in TAKES.items() if "n_folds" in notebook.parameters}  # fmt: skip
    assert set(ends) == {"02_knee_shortcuts", "04_knee_training", "07_knee_heatmaps", "10_knee_t_scores",
                         "30_knee_scores"} and all(ends.values())  # fmt: skip


def written(project) -> dict[Path, bytes]:
    """Every file that `add` and the pages wrote, with the tables inside their downloads; not what people brought."""
    brought = [project.root / name for name in ("my-knees", "my-hands", "my-healthy")]
    files = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()
             and not any(path.is_relative_to(folder) for folder in brought)
             and not path.resolve().is_relative_to(ROOT)}  # fmt: skip
    inside = {path: b"".join(map(base64.b64decode, re.findall(rb"base64,([A-Za-z0-9+/=]+)", data)))
              for path, data in files.items()}  # fmt: skip
    return {path: data + inside[path] for path, data in files.items()}


def test_what_names_a_person_stays_in_what_they_brought(project):
    for name in ("02_knee_shortcuts", "03_two_measurements"):
        assert project.page(name, cohort="my-knees")[0].returncode == 0
    files = written(project)
    names = {"my-knees.local.yaml", "02_knee_shortcuts-my-knees.ipynb", "predictions.csv"}
    assert names <= {path.name for path in files}
    words = {word for value in (*SECRET.values(), *NOT_ASKED_FOR.values()) for word in re.split(r"[\^ ]", value)}
    words = {word.encode() for word in words if len(word) > 5} | {b"1899-08-17", b"1899-11-23"}
    brought = b"".join(path.read_bytes() for path in (project.root / "my-knees").iterdir())
    assert len([word for word in words if word in brought]) == len(words) - 2  # dates as a program would rewrite them
    assert not {(path.name, word) for path, data in files.items() for word in words
                if word in data or word.decode().encode("utf-16-le") in data}  # fmt: skip
