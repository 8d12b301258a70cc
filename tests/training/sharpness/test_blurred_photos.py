import numpy as np
import pytest
from PIL import Image

from cliqa.signal.sharpness.features import DIRECTIONS, RINGS, WIDTH
from cliqa.training.photos import read_photos
from cliqa.training.sharpness.blurred_photos import blob, by_depth, from_light, make_picture, telling, to_light
from cliqa.training.sharpness.fit import SharpnessExamples, SharpnessFit, fit_sharpness, mirrored
from cliqa.training.sharpness.point_spreads import aperture
from cliqa.training.sharpness.scenes import Scene, Scenes, empty_scene, slope
from tests.drawn_scenes import blurred, scene


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Scenes:
    root = tmp_path_factory.mktemp("photos") / "lossless"
    root.mkdir()
    for seed in range(3):
        pixels = scene(seed=seed)
        pixels[:, :150] = 140  # a wall
        Image.fromarray(pixels).save(root / f"{seed}.png")
    return Scenes(read_photos(root.parent))


def grey_scene(seed: int = 0) -> Scene:
    return Scene(np.asarray(Image.fromarray(scene(seed=seed)).convert("L"), np.float32), (0.0, 0.0))


def test_light_and_back():
    grey = np.arange(256, dtype=np.float32)[None]
    np.testing.assert_allclose(from_light(to_light(grey)), grey, atol=0.02)
    assert to_light(np.full((1, 1), 188, np.float32))[0, 0] == pytest.approx(0.5, abs=0.01)


def test_pictures_come_with_a_truth_in_range(scenes):
    seen = set()
    for number in range(60):
        rng = np.random.default_rng(number)
        picture = make_picture(rng, scenes.draw(rng))
        assert picture.grey.dtype == np.uint8 and 0 <= picture.least <= picture.most <= 8
        assert picture.motion >= 0 and (np.isnan(picture.tells) or picture.tells in (0, 1))
        assert (picture.family == "empty") <= (picture.tells == 0)
        seen |= {picture.family, picture.layout}
    assert {"sharp", "empty", "gaussian", "motion", "whole", "depth"} <= seen


def test_by_depth_a_part_stays_sharp():
    found = grey_scene()
    light, sharp, layout = by_depth(np.random.default_rng(3), found.grey, to_light(found.grey), aperture(10))
    assert layout == "depth" and sharp < 5
    before, after = slope(found.grey), slope(from_light(light))
    kept = after > 0.7 * before
    assert 0.03 < kept[before > 12].mean() < 0.9


def test_blobs_cover_their_share():
    for seed in range(5):
        assert blob(np.random.default_rng(seed), (200, 300), 0.3).mean() == pytest.approx(0.3, abs=0.01)


def test_edges_tell_and_walls_do_not():
    grey = grey_scene().grey
    assert telling(grey, grey) == 1.0
    assert telling(grey, np.full_like(grey, 90)) == 0.0
    assert telling(np.full_like(grey, 90), np.full_like(grey, 90)) == 0.0


def test_empty_scenes_have_no_edge(scenes):
    for number in range(25):
        assert np.quantile(slope(empty_scene(np.random.default_rng(number), scenes.kinds["lossless"])), 0.995) < 6


def test_mirrored_features_count_directions_the_other_way_round():
    import torch

    spectrum = (len(RINGS) - 1) * DIRECTIONS
    features = torch.arange(2 * WIDTH, dtype=torch.float32)[None].repeat(2, 1)
    found = mirrored(features, torch.tensor([True, False])).numpy()
    np.testing.assert_array_equal(found[1], features[1])
    np.testing.assert_array_equal(found[0, :DIRECTIONS], [0, 7, 6, 5, 4, 3, 2, 1])
    np.testing.assert_array_equal(found[0, spectrum:WIDTH], features[0, spectrum:WIDTH])
    assert found[0, WIDTH + 1] == WIDTH + 7


def examples(count: int, seed: int) -> SharpnessExamples:
    """Tiles of which only the lowest tells the blur; the others are as if farther away."""
    rng = np.random.default_rng(seed)
    blur = rng.uniform(0, 4, count).astype(np.float32)
    features = rng.normal(0, 0.2, (count, 12, WIDTH)).astype(np.float32)
    features[..., 0] = blur[:, None] + rng.uniform(1, 3, (count, 12))
    features[:, 0, 0] = blur
    statistics = np.concatenate([features.mean(axis=1)] * 2, axis=1)
    still = np.zeros((count, 2), np.float32)
    return SharpnessExamples(features.astype(np.float16), statistics, np.zeros(count, np.float32), blur, blur, still,
                             np.ones(count, np.float32))  # fmt: skip


def test_the_network_learns_from_whole_pictures_which_tile_to_believe(tmp_path):
    settings = SharpnessFit(
        hidden=(32,), epochs=25, batch=32, rate=5e-3, dropout=0, input_noise=0, gain=0, tiles=12, average=0.9
    )
    fit_sharpness(examples(256, 0), examples(64, 1), tmp_path, settings)
    curve = np.genfromtxt(tmp_path / "curve.csv", delimiter=",", names=True)
    assert len(curve) == 25 and curve["val_tiles"][-1] < 0.5 * curve["val_tiles"][0] < 1
    assert curve["val_blur"][-1] < curve["val_blur"][0] - 0.8


def test_blurring_by_hand_is_what_the_scene_says():
    assert slope(grey_scene().grey).max() > 1.5 * slope(blurred(scene(), 3)[..., 1].astype(np.float32)).max()
