from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.jpeg.quantization import CHROMA_TABLES, LUMA_TABLES, nearest_quality
from cliqa.training.codecs import decode
from cliqa.training.histories.numpy_codec import numpy_save
from cliqa.training.histories.saves import draw_sampling, encode_jpeg
from cliqa.training.histories.tables import draw_tables
from tests.jpeg_pictures import saved, textured


def test_own_codec_agrees_with_libjpeg():
    pixels, rng = textured(0, 64), np.random.default_rng(0)
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        own = numpy_save(pixels, rng, LUMA_TABLES[79], CHROMA_TABLES[79], sampling)
        other = saved(pixels, 80, sampling)
        assert np.abs(own.astype(int) - other).mean() < 0.35 * np.abs(other.astype(int) - pixels).mean()


def test_stream_has_the_tables_asked_for():
    tables = (np.full(64, 7), np.full(64, 9))
    stream = encode_jpeg(textured(1, 32), np.random.default_rng(1), 50, "4:2:0", tables=tables)
    image = Image.open(io.BytesIO(stream))
    assert list(image.quantization[0]) == [7] * 64 and list(image.quantization[1]) == [9] * 64
    assert decode(stream).shape == (32, 32, 3)


@pytest.mark.parametrize("family", ["scaled", "split", "robidoux", "flat", "camera"])
def test_foreign_tables_are_legal_and_near_the_quality_asked_for(family: str):
    rng = np.random.default_rng(2)
    for quality in (20, 60, 90):
        luma, chroma, name = draw_tables(rng, quality, family)
        assert name == family
        assert luma.shape == chroma.shape == (64,)
        assert luma.min() >= 1 and luma.max() <= 255 and chroma.min() >= 1 and chroma.max() <= 255
        assert abs(nearest_quality(luma) - quality) <= 15


def test_trellis_lowers_levels():
    pixels, rng = textured(3, 64), np.random.default_rng(3)
    plain = numpy_save(pixels, rng, LUMA_TABLES[49], CHROMA_TABLES[49], "4:4:4")
    lowered = numpy_save(pixels, rng, LUMA_TABLES[49], CHROMA_TABLES[49], "4:4:4", trellis=0.35)
    assert np.diff(lowered.astype(float), axis=1).std() < np.diff(plain.astype(float), axis=1).std()


def test_samplings_are_drawn_repeatably():
    drawn = [draw_sampling(np.random.default_rng(seed)) for seed in range(60)]
    assert drawn == [draw_sampling(np.random.default_rng(seed)) for seed in range(60)]
    assert {"4:4:4", "4:2:0", "4:2:2"} <= set(drawn)
