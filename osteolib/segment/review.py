"""A person's look at masks that a segmenter made, in JupyterLab."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteolib.radiograph import normalise_intensity
from osteolib.segment.prompts import decode_rle


def review(pixels: NDArray, records: list[dict[str, Any]]) -> Any:
    """A widget for a person in JupyterLab: one mask after the other, and two buttons.

    A click writes ``reviewed`` ("accepted" or "rejected") into the record of the mask shown, beside the verdict of the
    rules, which stays; a mask that nobody clicked at has none.
    """
    import ipywidgets as widgets
    from PIL import Image
    from scipy.ndimage import binary_dilation

    picture, title, left = widgets.Image(format="png", width=500), widgets.Label(), list(records)
    buttons = [widgets.Button(description=word) for word in ("accepted", "rejected")]

    def show() -> None:
        for button in buttons:
            button.disabled = not left
        title.value = f"{left[0]['bone']}: rules say {left[0]['reason'] or 'accepted'}" if left else "All are reviewed."
        if left:
            mask = decode_rle(left[0]["rle"])
            film = np.repeat(normalise_intensity(pixels)[..., None], 3, axis=2)
            film[binary_dilation(mask, iterations=2) & ~mask] = (255, 160, 0)
            picture.value = Image.fromarray(film)._repr_png_()

    def decide(button: widgets.Button) -> None:
        left.pop(0)["reviewed"] = button.description
        show()

    for button in buttons:
        button.on_click(decide)
    show()
    return widgets.VBox([title, picture, widgets.HBox(buttons)])
