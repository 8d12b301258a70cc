"""Graphs in ncnn's format, written here by hand, against torch's own operations."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cliqa.training.learned.ncnn_graph import NcnnNetwork, read_graph

GRAPH = """7767517
6 7
Input            data   0 1 data
Convolution      first  1 1 data a 0=4 1=3 4=1 5=1 6=108 9=2 -23310=1,1.000000e-01
Split            both   1 2 a b c
PReLU            slope  1 1 b d 0=4
Crop             cut    1 1 c e -23309=2,1,1 -23310=2,-1,-1 -23311=2,-2,-1
Deconvolution    up     1 1 e f 0=3 1=4 3=2 4=1 5=0 6=192
"""


def write(folder: Path, graph: str, parts: list[bytes]) -> NcnnNetwork:
    (folder / "net.param").write_text(graph)
    (folder / "net.bin").write_bytes(b"".join(parts))
    return NcnnNetwork(folder / "net.param", folder / "net.bin")


def test_layers_do_what_torch_does(tmp_path):
    rng = np.random.default_rng(0)
    first, bias = rng.normal(size=(4, 3, 3, 3)).astype("<f2"), rng.normal(size=4).astype("<f4")
    slope, up = rng.normal(size=4).astype("<f4"), rng.normal(size=(3, 4, 4, 4)).astype("<f4")
    half, single = np.uint32(0x01306B47).tobytes(), np.uint32(0).tobytes()
    net = write(tmp_path, GRAPH, [half, first.tobytes(), bias.tobytes(), slope.tobytes(), single, up.tobytes()])
    x = torch.rand(2, 3, 9, 11)
    a = F.leaky_relu(F.conv2d(x, torch.from_numpy(first.astype("f4")), torch.from_numpy(bias), padding=1), 0.1)
    expected = F.conv_transpose2d(a[:, :, 1:-1, 1:-1], torch.from_numpy(up).transpose(0, 1), stride=2, padding=1)
    torch.testing.assert_close(net(x), expected)


def test_arrays_and_numbers_of_a_line(tmp_path):
    (tmp_path / "net.param").write_text(GRAPH)
    crop = read_graph(tmp_path / "net.param")[4]
    assert crop.numbers == {9: [1.0, 1.0], 10: [-1.0, -1.0], 11: [-2.0, -1.0]} and crop.inputs == ("c",)


def test_weights_that_are_left_over_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="4 bytes are left over"):
        write(tmp_path, "7767517\n1 1\nInput data 0 1 data\n", [b"\0" * 4])
