from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from scipy.ndimage import gaussian_filter


@dataclass
class World:
    """A project of its own: manifests, data and store under one temporary folder."""

    manifests: Path
    data: Path

    def film(self, path: str, seed: int, legs: int = 1) -> Path:
        """Draw bright legs on black, textured by the seed; equal seeds give identical files."""
        rng = np.random.default_rng(seed)
        width = 240 if legs == 2 else 160
        pixels = np.zeros((200, width))
        texture = np.asarray(Image.fromarray(rng.random((8, 6), np.float32)).resize((70, 180)))
        leg = 60 + 100 * np.sin(np.linspace(0, np.pi, 70)) + 60 * texture
        for x in (25, 145) if legs == 2 else (45,):
            pixels[10:190, x : x + 70] = leg
        file = self.data / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(file)
        return file

    def manifest(self, name: str, **fields) -> Path:
        """Write a manifest; its files are listed as they are now."""
        content = {
            "name": name,
            "title": "A test set",
            "kind": "real",
            "source": "https://doi.org/10.0/0",
            "licence": "CC0",
        }
        content |= {"citation": "none", "folder": name} | fields
        folder = self.data / name
        if "files" not in fields:
            content["files"] = [self.entry(p, folder) for p in sorted(folder.rglob("*")) if p.is_file()]
        path = self.manifests / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return path

    def entry(self, path: Path, folder: Path) -> dict:
        from osteolib.cohorts.duplicates import perceptual_hash

        data = path.read_bytes()
        entry = {"path": path.relative_to(folder).as_posix(), "sha256": sha256(data).hexdigest(), "bytes": len(data)}
        return entry | ({"phash": perceptual_hash(path)} if path.suffix in (".png", ".jpg") else {})


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    world = World(tmp_path / "manifests", tmp_path / "data")
    world.manifests.mkdir()
    world.data.mkdir()
    monkeypatch.setattr("osteolib.cohorts.manifest.FOLDER", world.manifests)
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")
    monkeypatch.setenv("OSTEO_DATA", str(world.data))
    return world


def draw_legs(seed: int, legs: int = 1) -> np.ndarray:
    """A film of 400 rows and 160 columns a leg with bone, joint and texture of its own."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:400, :160] / 400
    film = []
    for _ in range(legs):
        across, down = np.abs(x - rng.normal(0.2, 0.005)), y - rng.normal(0.5, 0.02)
        leg = np.sqrt(np.clip(1 - (across / 0.17) ** 2, 0, None))
        bone = 1 / (1 + np.exp((across - 0.07 - 0.05 * np.exp(-((down / 0.1) ** 2))) / 0.006))
        texture = sum(gaussian_filter(rng.normal(size=y.shape), s) * s for s in (1.5, 3, 6, 12))
        film.append(70 * leg + 90 * bone * (1 - 0.7 * np.exp(-((down / 0.012) ** 2))) + 30 * leg * texture)
    return np.clip(np.hstack(film), 0, 255).astype(np.uint8)


@pytest.fixture(name="draw_legs", scope="session")
def draw_legs_fixture():
    return draw_legs
