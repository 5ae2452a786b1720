import pandas as pd
import pytest
import yaml

from osteolib.cohorts import DataNotFound, find_data, load_cohort, load_manifest
from osteolib.cohorts.manifest import FOLDER

REAL = yaml.safe_load((FOLDER / "hrpqct-phantoms.yaml").read_text())


@pytest.fixture
def machines(world):
    def make(**changes):
        frame = pd.DataFrame({
            "scanID": ["C1", "C2", "C3"], "site": ["Here", "Here", "There"], "parameter": "Tt.vBMD",
            "timePoint": [0, 6, 0], "value": [100.5, 101, 99], "section": ["2", "2", "2"],
            "scanDate": [17600.0, 17600 + 365.25 / 2, 17900.0], "scanner": ["XCT1", "XCT1", "XCT2"],
        }).assign(**changes)  # fmt: skip
        (world.data / "hrpqct-phantoms").mkdir(exist_ok=True)
        frame.to_csv(world.data / "hrpqct-phantoms" / "qc1.csv", index=False)
        world.manifest("hrpqct-phantoms", **{k: REAL[k] for k in ("reader", "table", "folder")})

    return make


def test_a_row_is_a_reading_and_years_run_from_the_first_visit_of_a_site(machines):
    machines()
    rows = load_cohort("hrpqct-phantoms").subjects
    assert rows["mg_cm3"].tolist() == [100.5, 101, 99] and rows["insert"].tolist() == [2, 2, 2]
    assert rows["years"].tolist() == pytest.approx([0, 0.5, 0])
    assert rows["device"].tolist() == ["XtremeCT I", "XtremeCT I", "XtremeCT II"]
    assert rows["unit_id"].is_unique and rows["t_score"].isna().all() and rows["label"].isna().all()


def test_a_cell_out_of_range_names_row_and_column(machines):
    machines(value=[100, 9999, 99])
    with pytest.raises(ValueError, match=r"qc1.csv: row 3, value"):
        load_cohort("hrpqct-phantoms")


def test_the_real_table_has_13_machines_and_5_inserts():
    try:
        find_data(load_manifest("hrpqct-phantoms"))
    except DataNotFound:
        pytest.skip("the data are not here")
    rows = load_cohort("hrpqct-phantoms").subjects
    assert len(rows) == 570 and rows["site"].nunique() == 13
    assert rows.groupby("site")["device"].nunique().max() == 1
    assert rows.groupby("site")["insert"].nunique().unique().tolist() == [5]
