"""Radiographs: read them, find the legs, hide what is not the patient, and prepare them for a model."""

from osteolib.radiograph.io import MAX_PIXELS, MODALITIES, Radiograph, RadiographError, read_radiograph
from osteolib.radiograph.legs import Legs, count_legs, split_knees
from osteolib.radiograph.markers import find_markers, mask_markers
from osteolib.radiograph.preprocess import normalise_intensity, otsu_crop, preprocess, resize, to_tensor_range

__all__ = [
    "MAX_PIXELS",
    "MODALITIES",
    "Legs",
    "Radiograph",
    "RadiographError",
    "count_legs",
    "find_markers",
    "mask_markers",
    "normalise_intensity",
    "otsu_crop",
    "preprocess",
    "read_radiograph",
    "resize",
    "split_knees",
    "to_tensor_range",
]
