"""One hand film to one score: segment it, cut out the bones, and let them vote.

The whole chain of lee2025_hand at work. The network sees a small copy of the film; bones and cortex come from the film
itself, so nothing is done twice to all of its nine million pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from osteolib.radiograph import Radiograph, read_radiograph
from osteolib.screen.bone_probe import Probe, embed
from osteolib.segment.bones import NAN, BoneImages, Cortex, bone_images, cortical_percentage, largest_piece
from osteolib.segment.mixture import MixtureUNet
from osteolib.segment.training import draw, to_film, to_network

M2 = 4  # its number in a label map
SEVERAL = 3  # bones, each in pieces: a plate or a ring breaks one or two


@dataclass(frozen=True)
class HandScore:
    """What one film says.

    Attributes
    ----------
    score
        Mean of ``per_bone`` over the bones present (lee2025_hand, Eq. 10), 0 to 1.
    per_bone
        Probability of osteoporosis by bone, in the order of BONES.
    missing
        Reason by bone for those that have no part in the score.
    cortex
        Of the second metacarpal; in mm where the film knows its spacing.
    """

    score: float
    per_bone: dict[str, float]
    missing: dict[str, str]
    cortex: Cortex

    @property
    def n_bones(self) -> int:
        """Number of bones that voted, 1 to 7."""
        return len(self.per_bone)


def score_film(
    film: Radiograph | str | Path, segmenter: MixtureUNet, encoder: nn.Module, probe: Probe, *,
    network_size: int = 128, bone_size: int = 128, view_size: int = 64, n_samples: int = 2,
) -> HandScore:  # fmt: skip
    """Read a film, find its bones, and score the subject.

    Parameters
    ----------
    film
        One hand; or the path of its DICOM, PNG or JPEG file. A film of more than 8 bits is scaled by its own largest
        value.
    segmenter, encoder, probe
        As trained: :class:`MixtureUNet`, :func:`osteolib.ssl.pretrain.load_encoder`, and the layer of
        :func:`osteolib.screen.bone_probe.linear_probe`.
    network_size, bone_size, view_size
        Longer side of the segmenter's input, sides of a bone image and of what the encoder sees of it: those they were
        trained with.
    n_samples
        Latent draws of each of the segmenter's modules; 1 where it has no latent.

    Raises
    ------
    ValueError
        The file cannot be read (:class:`osteolib.radiograph.RadiographError`), or no bone is found; named is the file.
    """
    name = "the film" if isinstance(film, Radiograph) else Path(film).name
    film = film if isinstance(film, Radiograph) else read_radiograph(film)
    full = 255 if film.pixels.dtype == np.uint8 else max(int(film.pixels.max()), 1)
    pixels = film.pixels / np.float32(full)
    labels = segment(pixels, segmenter, network_size, n_samples)
    bones = bone_images(pixels, labels, bone_size)
    missing = with_hint(bones.missing)
    if not bones.images:
        reasons = "; ".join(f"{bone}: {reason}" for bone, reason in missing.items())
        raise ValueError(f"{name}: no bone can be scored ({reasons}); give a film of one hand, bright bone, fingers up")
    grey = (255 * np.stack([*bones.images.values()]).clip(0, 1)).round().astype(np.uint8)
    probability = probe(embed(encoder, grey, view_size))
    per_bone = dict(zip(bones.images, probability.tolist(), strict=True))
    return HandScore(float(probability.mean()), per_bone, missing, measure_cortex(pixels, labels, bones, film))


def segment(pixels: NDArray[np.float32], segmenter: MixtureUNet, size: int, n_samples: int) -> NDArray[np.uint8]:
    """Label map (height, width) of a film in [0, 1]: where the mixture is most probable."""
    small = torch.from_numpy(to_network(pixels, size))[None, None]
    return to_film(draw(segmenter, small, n_samples).probability[0], pixels.shape)


def with_hint(missing: dict[str, str]) -> dict[str, str]:
    """Say what it may mean that several bones are in pieces."""
    broken = [bone for bone, reason in missing.items() if "pieces" in reason]
    hint = "; two hands?" if len(broken) >= SEVERAL else ""
    return missing | {bone: missing[bone] + hint for bone in broken}


def measure_cortex(pixels: NDArray, labels: NDArray[np.uint8], bones: BoneImages, film: Radiograph) -> Cortex:
    """Of the second metacarpal, within its square."""
    if "M2" not in bones.boxes:
        return Cortex(NAN, NAN, NAN, NAN, "mm" if film.spacing_mm else "px", f"M2: {bones.missing['M2']}")
    top, left, side = bones.boxes["M2"]
    window = np.s_[max(top, 0) : top + side, max(left, 0) : left + side]
    return cortical_percentage(pixels[window], largest_piece(labels[window] == M2)[0], film.spacing_mm)
