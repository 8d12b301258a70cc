"""Published layouts of rated data sets, on tiny synthetic copies."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from cliqa.errors import UsageError
from cliqa.grepq.rated_sets import (
    ava_class,
    biq2021_class,
    published_photographs,
    read_rated,
)


def photographs(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (32, 32)).save(folder / name)


def by_name(images):
    return {image.path.name: image for image in images}


def test_biq2021_with_its_lists_classes_and_the_name_that_differs_in_case(tmp_path):
    photographs(tmp_path / "Images", "ss01 (1).jpg", "ss02 (1014).JPG", "ss03 (1).jpg", "ss03 (2).jpg")
    (tmp_path / "Train (Images and MOS).csv").write_text(
        "Image Name,MOS,,\nss01 (1).jpg,0.9,,\nss02 (1014).jpg,0.2,,\nss03 (1).jpg,0.8,,\n"
    )
    (tmp_path / "Test (Images and MOS).csv").write_text("Image Name,MOS,,\nss03 (2).jpg,0.74,,\n")
    found = by_name(read_rated(tmp_path))
    assert {name: image.label for name, image in found.items()} == {
        "ss01 (1).jpg": "pending", "ss02 (1014).JPG": "rejected", "ss03 (1).jpg": "accepted", "ss03 (2).jpg": "pending",
    }  # fmt: skip
    assert found["ss03 (2).jpg"].split == "test"
    assert found["ss03 (2).jpg"].margin == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("score", "source", "label", "margin"),
    [(0.44, "ss03", "rejected", 0.01), (0.45, "ss01", "pending", 0.0), (0.9, "ss02", "pending", 0.45), (0.75, "ss03", "accepted", 0.0)],
)  # fmt: skip
def test_biq2021_boundaries(score, source, label, margin):
    assert biq2021_class(score, source) == (label, pytest.approx(margin))


def test_ava_leaves_out_what_lies_between_five_and_six_and_never_carries_a_label_over(tmp_path):
    photographs(tmp_path / "images", *(f"{i}.jpg" for i in range(1, 5)))

    def line(index, *votes):
        return f"{index} {index} {' '.join(map(str, votes))} 0 0 10\n"

    (tmp_path / "AVA.txt").write_text(
        line(1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0) + line(2, 0, 0, 0, 0, 5, 5, 0, 0, 0, 0)
        + line(3, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0) + line(4, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0)
    )  # fmt: skip
    found = by_name(read_rated(tmp_path))
    assert [found[f"{i}.jpg"].score for i in range(1, 5)] == [8.0, 5.5, 3.0, 4.5]
    assert [found[f"{i}.jpg"].label for i in range(1, 5)] == ["accepted", None, "rejected", "pending"]
    assert ava_class(5.999)[0] is None
    assert ava_class(6.0)[0] == "accepted"


def test_eva_averages_the_votes_of_an_image(tmp_path):
    photographs(tmp_path / "images" / "1", "a.jpg", "b.jpg")
    (tmp_path / "votes_filtered.csv").write_text("image_id=user_id=score\na=1=7\nb=1=6\na=2=8\nb=2=6\n")
    found = by_name(read_rated(tmp_path))
    assert (found["a.jpg"].score, found["a.jpg"].label) == (7.5, "accepted")
    assert (found["b.jpg"].score, found["b.jpg"].label) == (6.0, "pending")


def test_koniq_and_spaq_keep_both_sides_of_their_boundary(tmp_path):
    photographs(tmp_path / "koniq" / "1024x768", "a.jpg", "b.jpg")
    (tmp_path / "koniq" / "koniq10k_scores_and_distributions.csv").write_text(
        '"image_name","c1","c2","c3","c4","c5","c_total","MOS","SD","MOS_zscore"\n"a.jpg",0,0,25,73,7,105,3.8,0.5,68.1\n"b.jpg",9,9,1,1,1,21,2,1,60\n'
    )
    photographs(tmp_path / "spaq", "c.jpg")
    (tmp_path / "spaq" / "MOS and Image attribute scores.csv").write_text(
        "Image name,MOS,Brightness,Colorfulness,Contrast,Noisiness,Sharpness\nc.jpg,60.5,1,1,1,1,1\n"
    )
    assert [i.label for i in read_rated(tmp_path / "koniq")] == ["pending", "rejected"]
    assert [i.label for i in read_rated(tmp_path / "spaq")] == ["pending"]


def test_clive_reads_its_matlab_tables(tmp_path):
    photographs(tmp_path / "Images", "1.bmp", "2.JPG")
    (tmp_path / "Data").mkdir()
    names = np.array(["1.bmp", "2.JPG"], dtype=object).reshape(2, 1)
    savemat(tmp_path / "Data" / "AllImages_release.mat", {"AllImages_release": names})
    savemat(tmp_path / "Data" / "AllMOS_release.mat", {"AllMOS_release": np.array([[63.9, 35.2]])})
    assert {name: image.score for name, image in by_name(read_rated(tmp_path)).items()} == {
        "1.bmp": 63.9,
        "2.JPG": 35.2,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,mos\nmissing.jpg,1\n", "missing.jpg"),
        ("image,mos\na.jpg,nan\n", "not finite"),
        ("image,mos\na.jpg,good\n", "no number"),
        ("x,y\n1,2\n", "column"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, text, message):
    photographs(tmp_path, "a.jpg")
    (tmp_path / "mos.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_rated(tmp_path, tmp_path / "mos.csv")


def test_an_unknown_layout_says_what_was_looked_for(tmp_path):
    with pytest.raises(UsageError, match=r"AVA\.txt"):
        read_rated(tmp_path)


def test_published_photographs_are_the_good_ones_of_the_training_list(tmp_path):
    (tmp_path / "Train (Images and MOS).csv").write_text(
        "Image Name,MOS\nss03 (2).jpg,0.8\nss01 (1).jpg,0.9\nss03 (1).jpg,0.7\nss03 (3).jpg,0.6\n"
    )
    assert [path.name for path in published_photographs(tmp_path)] == ["ss03 (1).jpg", "ss03 (2).jpg"]
    with pytest.raises(UsageError, match="is not BIQ2021"):
        published_photographs(tmp_path / "elsewhere")
    assert published_photographs(tmp_path, 0.75) == [tmp_path / "Images" / "ss03 (2).jpg"]
