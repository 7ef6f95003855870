import gzip

import numpy as np
import pytest

from explain_distill.data.dataset import Task
from explain_distill.data.images import IMAGE_SETS, image_dataset, load_images, read_idx
from explain_distill.data.public_files import FOLDER_VARIABLE, find
from explain_distill.exceptions import DataError, UnknownNameError


def written(path, content):
    path.write_bytes(gzip.compress(content))
    return path


def test_an_idx_file_of_images_is_read_row_by_row(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    header = bytes([0, 0, 8, 3]) + np.array(images.shape, ">i4").tobytes()
    assert np.array_equal(read_idx(written(tmp_path / "i.gz", header + images.tobytes())), images)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes([0, 0, 8]),
        bytes([0, 0, 8, 3, 0, 0]),
        bytes([0, 0, 8, 1, 0, 0, 0, 5, 1, 2]),  # fewer bytes than it says
        bytes([0, 0, 13, 1, 0, 0, 0, 2, 1, 2]),  # floating-point numbers
        bytes([0, 0, 8, 1, 255, 255, 255, 255, 1]),  # a negative number
    ],
)
def test_what_is_no_idx_file_of_bytes_is_refused(tmp_path, content):
    with pytest.raises(DataError, match="must be an IDX file of bytes"):
        read_idx(written(tmp_path / "i.gz", content))


def test_an_image_becomes_a_row_whose_columns_name_its_pixels():
    images = np.arange(40, dtype=np.uint8).reshape(2, 4, 5)
    data = image_dataset("i", images, np.array([1, 0]), Task("classification", "y", ("a", "b")))
    assert data.X[1].tolist() == list(range(20, 40))
    assert data.schema.names[7] == "pixel row 2, column 3"
    assert data.X[0, 7] == images[0, 1, 2]


def test_mnist_has_its_own_split_and_every_pixel():
    files = IMAGE_SETS["mnist"]
    if any(find(file) is None for file in (files.train_images, files.test_labels)):
        pytest.skip(f"needs the files of mnist in the folder named by {FOLDER_VARIABLE}")
    train, test = load_images("mnist")
    assert train.X.shape == (60_000, 784)
    assert test.X.shape == (10_000, 784)
    assert np.bincount(test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.X.min() == 0
    assert train.X.max() == 255


def test_an_unknown_set_of_images_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match="Did you mean 'mnist'"):
        load_images("mnsit")
