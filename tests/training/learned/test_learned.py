"""The recipe from end to end on a few small pictures, with networks that only repeat pixels; and its tables."""

from functools import partial

import numpy as np
from PIL import Image

from cliqa.metrics import load_metric
from cliqa.metrics.checkpoints import shipped_path
from cliqa.training.learned import examples, learned, outputs
from cliqa.training.learned.scenes import CONDITIONS
from cliqa.training.learned.table import by_condition, by_family
from cliqa.training.learned.upscalers import Upscaler
from cliqa.training.train import TrainOptions
from tests.rough_pictures import colored
from tests.training.learned.toy_network import Repeated


def toy_networks(_folder):
    return [Upscaler(f"repeat {family}", family, scale, partial(Repeated, scale))
            for family, scale in (("first", 2), ("second", 4), ("denoiser", 1))]  # fmt: skip


def test_recipe(tmp_path, monkeypatch):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(24):
        Image.fromarray(colored(260, 260, seed=number)).save(photos / f"{number}.png")
    monkeypatch.setattr(outputs, "published", toy_networks)
    small = partial(learned.fitted, fit=learned.DenseFit(hidden=(8,), epochs=2, batch=64))
    monkeypatch.setattr(learned, "fitted", lambda tiles, work, networks=2, _fit=None: small(tiles, work, networks))
    monkeypatch.setattr(learned, "generate", in_this_process)
    out = tmp_path / "out"
    out.mkdir()
    (out / "scale_factor.safetensors").write_bytes(shipped_path("scale_factor").read_bytes())
    options = TrainOptions(photos, None, tmp_path / "work", out, 32, 1, 0, tmp_path)
    learned.train(options)
    made = list((tmp_path / "work" / "outputs").glob("*.npz"))
    assert len(made) == 36 and {each.split for each in outputs.read_outputs(tmp_path / "work" / "outputs")} == {
        "train",
        "val",
        "test",
    }
    table = (tmp_path / "work" / "learned.md").read_text()
    assert "| first |" in table and "| reduced to 0.75 |" in table
    picture = Image.fromarray(colored(300, 300))
    shipped, new = load_metric("scale_factor"), load_metric("scale_factor", str(out / "scale_factor.safetensors"))
    one, two = (metric.score_view(examples_view(picture)) for metric in (shipped, new))
    assert one["scale"] == two["scale"] and one["learned"] != two["learned"]
    outputs.make_outputs(
        tmp_path / "work" / "outputs", tmp_path, photos, 12, "nowhere"
    )  # all is there: no network runs


def examples_view(picture):
    from cliqa.images.loading import LoadedImage
    from cliqa.metrics import View

    return View(LoadedImage.from_pil(picture))


def in_this_process(make, count, _folder, *, seed, workers):
    made = [make(np.random.default_rng([seed, index]), index) for index in range(count)]
    return {name: np.stack([each[name] for each in made]) for name in made[0]}


def test_an_output_and_the_other_picture_of_its_pair_share_scene_and_save(tmp_path, monkeypatch):
    photos, folder = tmp_path / "photos", tmp_path / "outputs"
    photos.mkdir()
    for number in range(24):
        Image.fromarray(colored(260, 260, seed=number)).save(photos / f"{number}.png")
    monkeypatch.setattr(outputs, "published", toy_networks)
    outputs.make_outputs(folder, tmp_path, photos, 10, "cpu")
    examples._outputs.cache_clear()
    examples.enlarged_by.cache_clear()
    settings = {"photos": str(photos), "outputs": str(folder), "split": "test", "seed": 1, "pairs": 2}
    pair = [examples.make_picture(np.random.default_rng(0), index, **settings) for index in (0, 1)]
    assert [int(each["name"]) for each in pair] == [0, -1] and [int(each["how"]) for each in pair] == [-1, 0]
    np.testing.assert_array_equal(pair[0]["counts"], pair[1]["counts"])
    assert pair[0]["traces"].shape[0] == len(CONDITIONS)


def test_tables_name_what_they_hold():
    enlarged, others = np.full((4, len(CONDITIONS)), 1.0), np.full((6, len(CONDITIONS)), -1.0)
    table = by_condition(enlarged, others, np.array([0, 0, 1, 1, 2, 2]))
    assert "| PNG | 1.000 | 100% | 0.0% |" in table and "denoised by a network" not in table
    families = by_family({"one": (enlarged, others)}, {"one": (-enlarged - 1, others)})
    assert "| one | 4 | 1.000 | 1.000 | 1.000 | 100% | 0.000 |" in families
