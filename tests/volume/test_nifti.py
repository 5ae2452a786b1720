import gzip
from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest

from osteolib.volume import LabelMap, VolumeError, read_labels, read_nifti, read_volume, require_same_grid, write_nifti

AXES = ["".join(a) for order in permutations(["RL", "AP", "SI"]) for a in product(*order)]


def stored_as(volume, axes, path, dtype=np.int16, slope=None, inter=None, order="<"):
    """What another program writes: the picture with its axes along ``axes``."""
    image = nib.Nifti1Image(volume.voxels.T, volume.affine)
    turn = nib.orientations.ornt_transform(nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(axes))
    image = image.as_reoriented(turn)
    values = np.asarray(image.dataobj)
    values = values if slope is None else np.rint((values - inter) / slope)
    header = nib.Nifti1Header(endianness=order)
    out = nib.Nifti1Image(values.astype(np.dtype(dtype).newbyteorder(order)), image.affine, header)
    out.header.set_data_dtype(np.dtype(dtype).newbyteorder(order))
    out.set_sform(image.affine, 1)
    out.set_qform(image.affine, 1)
    if slope is not None:
        out.header.set_slope_inter(slope, inter)
        out.header["scl_slope"], out.header["scl_inter"] = slope, inter
        raw = values.astype(np.dtype(dtype).newbyteorder(order))
        hdr = out.header.copy()
        with path.open("wb") as file:
            hdr["vox_offset"], hdr["magic"] = 352, b"n+1"
            file.write(hdr.binaryblock + b"\0" * 4 + raw.tobytes(order="F"))
        return path
    nib.save(out, path)
    return path


def same(volume, body):
    np.testing.assert_array_equal(volume.voxels, body.voxels)
    np.testing.assert_allclose(volume.affine, body.affine, atol=1e-4)


@pytest.mark.parametrize("axes", AXES)
def test_one_picture_stored_along_any_axes_is_read_as_one(body, tmp_path, axes):
    volume = read_nifti(stored_as(body, axes, tmp_path / "ct.nii.gz"))
    same(volume, body)
    assert volume.stored == axes and volume.spacing_mm == pytest.approx((3, 1.5, 1)) and not volume.notes


@pytest.mark.parametrize(
    ("dtype", "slope", "inter"),
    [
        (np.int16, None, None),
        (np.float32, None, None),
        (np.uint16, 1, -1024),
        (np.int32, 1, 0),
        (np.int16, 0.5, -1000),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_type_scaling_and_byte_order_do_not_matter(body, tmp_path, dtype, slope, inter, order):
    same(read_volume(stored_as(body, "LPI", tmp_path / "ct.nii", dtype, slope, inter, order)), body)


def test_what_is_written_comes_back_and_names_nobody(body, tmp_path):
    write_nifti(body, tmp_path / "ct.nii.gz")
    same(read_nifti(tmp_path / "ct.nii.gz"), body)
    header = nib.load(tmp_path / "ct.nii.gz").header
    assert header.get_data_dtype() == np.int16 and not any(
        bytes(header[k]).strip(b"\0") for k in ("descrip", "db_name", "aux_file")
    )
    labels = LabelMap((body.voxels > 0).astype(np.uint16) * 300, body.affine, "RAS")
    write_nifti(labels, tmp_path / "mask.nii.gz")
    again = read_labels(tmp_path / "mask.nii.gz")
    np.testing.assert_array_equal(again.voxels, labels.voxels)
    require_same_grid(body, again, "mask.nii.gz")
    with pytest.raises(ValueError, match="read-only"):
        again.voxels[:] = 0


def test_a_fourth_axis_of_one_and_other_units_are_taken_as_they_are_meant(body, tmp_path):
    affine = body.affine.copy()
    affine[:3] /= 1000
    image = nib.Nifti1Image(body.voxels.T[..., None].astype(np.int16), affine)
    image.header.set_xyzt_units("meter")
    nib.save(image, tmp_path / "ct.nii")
    same(read_nifti(tmp_path / "ct.nii"), body)


def refused(body, tmp_path, change, name="ct.nii.gz"):
    """Write the body after a change of its array and affine."""
    image = nib.Nifti1Image(*change(body.voxels.T.copy(), body.affine.copy()))
    nib.save(image, tmp_path / name)
    return tmp_path / name


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda v, a: (v + 1024, a), "24% of its voxels lie between 900 and 1300, .* intercept; .* offset_hu=-1024"),
        (lambda v, a: (v + 8192, a), "nothing lies below 0, where fat has -100 .* without the rescale; convert"),
        (lambda v, a: (v - 1600, a), "half of its voxels lie below -1500, .* applied twice"),
        (lambda v, a: (v / 1000, a), "nothing exceeds 0.679, where bone has hundreds"),
        (lambda v, a: (np.where(v == 0, np.nan, v), a), "1 voxels are not numbers"),
        (lambda v, a: (np.full_like(v, 7), a), "every voxel is 7; there is no picture"),
        (lambda v, a: (v[..., None].repeat(2, 3), a), "10 x 12 x 14 x 2 is no volume; give one 3-D image"),
        (lambda v, a: (v[:, :, :1], a), "10 x 12 x 1 is no volume"),
        (lambda v, a: (v, a * (100, 1, 1, 1)), "100 x 1.5 x 3 mm is not that of a CT; write the spacing in millim"),
        (lambda v, a: (v.astype(np.complex64), a), "voxels of type complex64"),
    ],
)
def test_what_is_no_ct_is_refused_with_file_and_remedy(body, tmp_path, change, reason):
    with pytest.raises(VolumeError, match=rf"^ct\.nii\.gz: .*{reason}"):
        read_nifti(refused(body, tmp_path, change))


def test_the_remedy_for_a_lost_rescale_works(body, tmp_path):
    same(read_nifti(refused(body, tmp_path, lambda v, a: (v + 1024, a)), offset_hu=-1024), body)


def test_without_orientation_or_with_two_nothing_is_guessed(body, tmp_path):
    image = nib.Nifti1Image(body.voxels.T.astype(np.int16), body.affine)
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nib.save(image, tmp_path / "none.nii")
    with pytest.raises(VolumeError, match=r"^none\.nii: the header states no orientation .* from its DICOM series"):
        read_nifti(tmp_path / "none.nii")
    image.set_sform(body.affine, 1)
    image.set_qform(np.diag([-1, 1, 1, 1]) @ body.affine, 1)
    nib.save(image, tmp_path / "two.nii")
    with pytest.raises(VolumeError, match=r"two orientations, RAS \(sform\) and LAS \(qform\): one of them is flipped"):
        read_nifti(tmp_path / "two.nii")


def test_a_damaged_or_foreign_file_is_named_without_its_folders(body, tmp_path):
    write_nifti(body, tmp_path / "ct.nii.gz")
    whole = (tmp_path / "ct.nii.gz").read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.nii.gz").write_bytes(gzip.compress(b"no image" * 100))
    (tmp_path / "empty.nii").write_bytes(b"")
    for name in ("cut.nii.gz", "text.nii.gz", "empty.nii"):
        with pytest.raises(VolumeError, match=rf"^{name}: no readable NIfTI .*copy it again"):
            read_nifti(tmp_path / name)
    with pytest.raises(VolumeError, match=r"^gone\.nii: there is no such file"):
        read_nifti(tmp_path / "gone.nii")
    nib.save(nib.MGHImage(body.voxels.T, body.affine), tmp_path / "ct.mgz")
    with pytest.raises(VolumeError, match=r"^ct\.mgz: MGHImage is no NIfTI"):
        read_nifti(tmp_path / "ct.mgz")


def test_a_sheared_affine_is_made_upright(body, tmp_path):
    """A ball stays a ball of the same size at the same place."""
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[1, 2] = np.tan(np.radians(15))
    mm = np.stack(np.meshgrid(*[np.arange(40.0)] * 3, indexing="ij"), -1) @ affine[:3, :3].T
    ball = np.linalg.norm(mm - (20, 25, 20), axis=-1) < 9
    nib.save(nib.Nifti1Image(np.where(ball, 300, -100).astype(np.int16), affine), tmp_path / "ct.nii")
    volume = read_nifti(tmp_path / "ct.nii")
    assert "tilted by 15.0 degrees" in volume.notes[0]
    bone = volume.voxels > 100
    np.testing.assert_allclose(volume.to_mm(np.argwhere(bone)).mean(0), (20, 25, 20), atol=0.2)
    assert bone.sum() == pytest.approx(4 / 3 * np.pi * 9**3, rel=0.03)
    np.testing.assert_allclose(np.linalg.inv(volume.affine[:3, :3]), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.cov(np.argwhere(bone).T), 16.2 * np.eye(3), atol=1)  # r^2 / 5, the same every way


def test_an_oblique_scan_is_kept_and_noted(body, tmp_path):
    turn = np.array([[1, 0, 0], [0, np.cos(0.3), -np.sin(0.3)], [0, np.sin(0.3), np.cos(0.3)]])
    affine = body.affine.copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    nib.save(nib.Nifti1Image(body.voxels.T.astype(np.int16), affine), tmp_path / "ct.nii")
    volume = read_nifti(tmp_path / "ct.nii")
    np.testing.assert_array_equal(volume.voxels, body.voxels)
    assert "17 degrees off the body's axes" in volume.notes[0]


# labels


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full((4, 4, 4), 1.5), "labels must be whole numbers .* resample a segmentation by its nearest voxel"),
        (np.full((4, 4, 4), -1.0), "labels must be whole numbers from 0 on"),
        (np.zeros((4, 4, 4)), "the mask is empty; segment the scan again"),
    ],
)
def test_a_broken_or_empty_mask_is_refused(tmp_path, values, reason):
    nib.save(nib.Nifti1Image(values.astype(np.float32), np.eye(4)), tmp_path / "mask.nii")
    with pytest.raises(VolumeError, match=rf"^mask\.nii: {reason}"):
        read_labels(tmp_path / "mask.nii")


def test_labels_of_another_shape_place_or_side_are_refused_and_turned_ones_are_not(body, tmp_path):
    labels = LabelMap((body.voxels > 0).astype(np.uint16), body.affine, "RAS")
    turned = read_labels(stored_as(labels, "PIR", tmp_path / "turned.nii", np.uint8))
    require_same_grid(body, turned, "turned.nii")
    np.testing.assert_array_equal(turned.voxels, labels.voxels)
    with pytest.raises(VolumeError, match=r"^m: 7 x 12 x 10 voxels where the CT has 14 x 12 x 10; resample the labels"):
        require_same_grid(body, LabelMap(labels.voxels[:7], body.affine, "RAS"), "m")
    shifted = body.affine.copy()
    shifted[2, 3] += 3
    with pytest.raises(VolumeError, match=r"^m: its voxels lie up to 3.0 mm from those of the CT .*affine of the CT"):
        require_same_grid(body, LabelMap(labels.voxels, shifted, "RAS"), "m")
    coarser = body.affine @ np.diag([1, 1, 1.2, 1])
    with pytest.raises(VolumeError, match=r"its voxels lie up to 7.8 mm"):
        require_same_grid(body, LabelMap(labels.voxels, coarser, "RAS"), "m")


def test_a_lost_rescale_is_noticed_though_noise_and_overshoot_reach_below_zero(body, tmp_path):
    """Air of -1000, soft tissue of 40 and a little bone, all with noise of 40 HU, as one takes them from a scanner."""
    rng = np.random.default_rng(0)
    hu = rng.choice([-1000.0, -100.0, 40.0, 400.0, 1000.0], (24, 24, 24), p=[0.4, 0.15, 0.35, 0.08, 0.02])
    hu += rng.normal(0, 40, hu.shape)
    nib.save(nib.Nifti1Image(hu.astype(np.int16), np.eye(4)), tmp_path / "good.nii")
    nib.save(nib.Nifti1Image((hu + 1024).astype(np.int16), np.eye(4)), tmp_path / "lost.nii")
    assert read_nifti(tmp_path / "good.nii").voxels.min() < -1000
    with pytest.raises(VolumeError, match=r"^lost\.nii: 4\d% of its voxels lie between 900 and 1300"):
        read_nifti(tmp_path / "lost.nii")
