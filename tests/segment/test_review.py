import numpy as np

from osteolib.segment.prompts import encode_rle
from osteolib.segment.review import review


def test_review_writes_what_a_person_clicks_and_nothing_else():
    pixels = np.full((20, 12), 40, np.uint8)
    rle = encode_rle(np.eye(20, 12) > 0)
    records = [{"bone": name, "rle": rle, "accepted": False, "reason": "no waist"} for name in ("M2", "M3")]
    title, picture, row = review(pixels, records).children
    accept, reject = row.children
    assert title.value.startswith("M2: rules say") and bytes(picture.value).startswith(b"\x89PNG")
    assert not any("reviewed" in record for record in records)
    reject.click()
    assert title.value.startswith("M3")
    accept.click()
    assert [record["reviewed"] for record in records] == ["rejected", "accepted"]
    assert title.value == "All are reviewed." and accept.disabled
