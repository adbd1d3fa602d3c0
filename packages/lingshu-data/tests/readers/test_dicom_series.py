"""DICOM: every codec, windows, frames, and nothing of the patient."""

import warnings

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels.processing import apply_windowing

from lingshu_core.errors import DataError
from lingshu_core.records import Source, dump_line
from lingshu_data import dicom
from lingshu_data.intake import Intake
from lingshu_data.reader import Broken
from lingshu_data.readers.dicom_series import DicomSeries
from lingshu_data.slicing import Series, SliceSettings


def sample(name):
    return dicom.Path(get_testdata_file(name, download=False))


def pixels(name):
    return [np.asarray(frame) for frame in dicom.frames(sample(name))]


@pytest.mark.parametrize(
    ("plain", "packed"),
    [
        ("MR_small.dcm", "MR_small_RLE.dcm"),
        ("MR_small.dcm", "MR_small_jp2klossless.dcm"),
        ("MR_small.dcm", "MR_small_jpeg_ls_lossless.dcm"),
        ("emri_small.dcm", "emri_small_RLE.dcm"),
        ("emri_small.dcm", "emri_small_jpeg_ls_lossless.dcm"),
        ("emri_small.dcm", "emri_small_jpeg_2k_lossless.dcm"),
        ("SC_rgb.dcm", "SC_rgb_rle.dcm"),
        ("SC_rgb.dcm", "SC_rgb_jpeg_gdcm.dcm"),
    ],
)
def test_a_lossless_codec_gives_the_plain_file_s_pictures(plain, packed):
    one, other = pixels(plain), pixels(packed)
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize(("name", "most"), [("SC_rgb_jpeg_dcmtk.dcm", 4.0)])
def test_a_lossy_codec_is_near(name, most):
    (mine,), (theirs,) = pixels("SC_rgb.dcm"), pixels(name)
    assert np.abs(mine.astype(int) - theirs).mean() < most


@pytest.mark.parametrize("name", ["JPEG2000.dcm", "JPGExtended.dcm", "JPEG-LL.dcm"])
def test_further_codecs_are_read(name):
    (found,) = pixels(name)
    assert found.shape == (1024, 256) and found.std() > 5


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_window_is_that_of_the_standard(function, tmp_path):
    dataset = pydicom.dcmread(sample("MR_small.dcm"))
    dataset.WindowCenter, dataset.WindowWidth = 900, 701
    if function:
        dataset.VOILUTFunction = function
    dataset.save_as(tmp_path / "windowed.dcm")
    (mine,) = dicom.frames(tmp_path / "windowed.dcm")
    shown = apply_windowing(dataset.pixel_array, dataset).astype(float)
    low, high = -(2**15), 2**15 - 1
    assert np.abs((shown - low) / (high - low) * 255 - np.asarray(mine)).max() <= 0.51


def test_a_window_of_one_level_parts_black_from_white():
    dataset = pydicom.Dataset()
    dataset.WindowCenter, dataset.WindowWidth = 100, 2
    assert dicom._window(dataset) == (99.0, 100.0)


def test_monochrome1_is_turned(tmp_path):
    dataset = pydicom.dcmread(sample("MR_small.dcm"))
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.save_as(tmp_path / "turned.dcm")
    (turned,) = dicom.frames(tmp_path / "turned.dcm")
    (plain,) = pixels("MR_small.dcm")
    assert np.array_equal(np.asarray(turned), 255 - plain)


def series_of(tmp_path):
    reader = DicomSeries()
    return list(reader.rows(tmp_path, tuple(reader.entries(tmp_path, None))))


def intake_of(root):
    part = Source(dataset="toy", licence="CC0-1.0")
    return Intake(part, root, root / "store", SliceSettings())


def test_slices_stand_in_their_order_in_space_and_broken_files_are_named(tmp_path):
    dataset = pydicom.dcmread(sample("CT_small.dcm"))
    for name, height in (("b", 3.0), ("a", 9.0), ("c", -2.0)):
        dataset.ImagePositionPatient = [0, 0, height]
        dataset.save_as(tmp_path / f"{name}.dcm")
    (tmp_path / "d.dcm").write_bytes(b"no dicom")
    broken, row = series_of(tmp_path)
    assert row.values["files"] == ["c.dcm", "b.dcm", "a.dcm"]
    assert isinstance(broken, Broken) and broken.place == "d.dcm"
    records = list(Series()(row, intake_of(tmp_path)))
    assert [record.images[0].slice for record in records] == [0, 1, 2]
    assert len({record.images[0].volume for record in records}) == 1


def test_frames_become_records_of_one_volume(tmp_path):
    (tmp_path / "many.dcm").write_bytes(sample("emri_small.dcm").read_bytes())
    (row,) = series_of(tmp_path)
    records = list(Series()(row, intake_of(tmp_path)))
    assert len(records) == 8 and {record.modality for record in records} == {"mri"}
    assert all(record.images[0].frame is not None for record in records)


def test_nothing_that_names_a_patient_leaves_the_reader(tmp_path):
    dataset = pydicom.dcmread(sample("CT_small.dcm"))
    secrets = {}
    read = {*dicom.ALLOWED, "SOPClassUID", "SpecificCharacterSet"}
    for element in dataset:
        if element.keyword not in read and element.VR in {"PN", "LO", "SH", "LT", "ST", "DA", "UI"}:
            if element.VR not in {"DA", "UI"}:
                element.value = f"SECRET{element.tag:08x}"[:16]
            elif element.VR == "DA":
                element.value = f"193101{len(secrets) % 28 + 1:02}"
            secrets[element.keyword] = str(element.value)
    dataset.save_as(tmp_path / "one.dcm")
    (row,) = series_of(tmp_path)
    intake = intake_of(tmp_path)
    lines = b"".join(dump_line(record) for record in Series()(row, intake)).decode()
    stored = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*.png"))
    assert len(secrets) > 15 and secrets["PatientName"].startswith("SECRET")
    for keyword, value in secrets.items():
        if len(value) > 3:
            assert value not in lines, keyword
            assert value.encode() not in stored, keyword
            assert keyword == "SeriesInstanceUID" or value not in str(row.values), keyword


@pytest.mark.parametrize("name", ["MR_truncated.dcm", "liver_1frame.dcm"])
def test_what_cannot_be_shown_is_an_error_of_the_data(name):
    with warnings.catch_warnings(), pytest.raises(DataError, match=r"be decoded|no picture"):
        warnings.simplefilter("ignore")
        list(dicom.frames(sample(name)))
