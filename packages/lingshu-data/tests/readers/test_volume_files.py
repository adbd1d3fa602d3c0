"""NIfTI and NRRD volumes with their label volumes."""

import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK

from lingshu_core.errors import DataError
from lingshu_core.records import Source
from lingshu_data.intake import Intake
from lingshu_data.readers.volume_files import AllVolumes, VolumeFiles
from lingshu_data.slicing import SliceSettings, Volumes
from lingshu_data.volumes import read_volume

READER = VolumeFiles("{case}/{case}.{kind}", masks=("{case}/seg*.{kind}",))
VALUES = np.random.default_rng(0).integers(0, 400, (20, 24, 10)).astype(np.int16)
LABELS = np.zeros((20, 24, 10), np.int16)
LABELS[4:9, 5:15, 3:6] = 2


def nifti(path, values, affine=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(values, np.eye(4) if affine is None else affine)
    image.header["descrip"] = b"NAMED PERSON"
    image.header["db_name"] = b"NAMED PERSON"
    nibabel.save(image, path)


def nrrd(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = SimpleITK.GetImageFromArray(values.T.copy())
    image.SetSpacing((0.5, 0.5, 2.0))
    SimpleITK.WriteImage(image, str(path))


@pytest.mark.parametrize(("kind", "write"), [("nii.gz", nifti), ("nrrd", nrrd)])
def test_a_volume_becomes_itself_and_slices_over_what_is_annotated(tmp_path, kind, write):
    write(tmp_path / "p1" / f"p1.{kind}", VALUES)
    write(tmp_path / "p1" / f"seg-a.{kind}", LABELS)
    (row,) = READER.entries(tmp_path, None)
    assert row.values["masks"] == [f"p1/seg-a.{kind}"]
    part = Source(dataset="toy", licence="CC0-1.0")
    intake = Intake(part, tmp_path, tmp_path / "store", SliceSettings())
    whole, *slices = Volumes(modality="ct", names={2: "kidney"})(row, intake)
    assert whole.volume.shape == (20, 24, 10) and whole.labels == {"kidney": "present"}
    assert [record.images[0].slice for record in slices] == [3, 4, 5]
    assert {(box.width, box.height) for record in slices for box in record.boxes} == {(5, 10)}
    stored = (tmp_path / "store" / whole.volume.path).read_bytes()
    assert b"NAMED" not in gzip.decompress(stored)
    again = nibabel.Nifti1Image.from_bytes(gzip.decompress(stored))
    assert np.array_equal(np.asarray(again.dataobj), VALUES)


def test_nrrd_axes_are_turned_to_those_of_nifti(tmp_path):
    nrrd(tmp_path / "v.nrrd", VALUES)
    voxels = read_volume(tmp_path / "v.nrrd")
    assert voxels.orientation == "LPS" and voxels.spacing == (0.5, 0.5, 2.0)
    assert np.array_equal(voxels.canonical(), VALUES[::-1, ::-1])


def test_a_mask_of_another_shape_and_a_damaged_volume_are_errors(tmp_path):
    nifti(tmp_path / "p1" / "p1.nii.gz", VALUES)
    nifti(tmp_path / "p1" / "seg.nii.gz", LABELS[:-1])
    (row,) = READER.entries(tmp_path, None)
    part = Source(dataset="toy", licence="CC0-1.0")
    intake = Intake(part, tmp_path, tmp_path / "store", SliceSettings())
    with pytest.raises(DataError, match="the mask has shape"):
        list(Volumes(modality="ct")(row, intake))
    data = (tmp_path / "p1" / "p1.nii.gz").read_bytes()
    for name in ("cut.nii.gz", "cut.nii", "cut.nrrd"):
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(DataError, match="the volume cannot be read"):
            read_volume(tmp_path / name)
    names = [row.values["path"] for row in AllVolumes().entries(tmp_path, None)]
    assert names[:4] == ["cut.nii", "cut.nii.gz", "cut.nrrd", "p1/p1.nii.gz"]


def test_of_several_volumes_in_a_file_the_first_is_read(tmp_path):
    nifti(tmp_path / "v.nii", np.stack([VALUES, VALUES + 1], axis=3))
    voxels = read_volume(tmp_path / "v.nii")
    assert voxels.parts == 2 and np.array_equal(voxels.canonical(), VALUES)
