"""The presets of multi-crop and one more: views that differ by their crop alone.

It is added to them here because recorded runs are held to the code of :mod:`osteolib.views.multicrop`. Whoever reads
``PRESETS`` from this module, or imports one that does, has all three.
"""

from __future__ import annotations

from osteolib.views.multicrop import PRESETS, Augmentation

STILL = "none"
"""Name of the preset that turns, shifts, mirrors and relights nothing."""

PRESETS[STILL] = Augmentation(degrees=0, translation=0, flip=0, brightness=0, contrast=0)
