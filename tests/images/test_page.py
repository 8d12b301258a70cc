import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from cliqa.images.page import largest_rectangle, page_tones, photograph_box
from tests.rough_pictures import colored


def page(place: tuple[int, int] | None, paper: int = 250, size: tuple[int, int] = (900, 1100)) -> Image.Image:
    """Lines of text, over which a photograph of 420 x 330 may lie."""
    made = Image.new("RGB", size, (paper, paper, paper))
    draw, font = ImageDraw.Draw(made), ImageFont.load_default(15)
    for top in range(12, size[1] - 20, 21):
        draw.text(
            (14, top),
            "a line of words that say where the ships lay " * 3,
            (30, 30, 30) if paper > 99 else "white",
            font,
        )
    if place is not None:
        made.paste(Image.fromarray(colored(330, 420)), place)
    return made


@pytest.mark.parametrize("paper", [255, 246, 12])
@pytest.mark.parametrize("place", [(0, 0), (133, 401), (480, 770)])
def test_finds_the_photograph_in_a_page(paper, place):
    box = photograph_box(page(place, paper))
    assert box is not None
    left, top, right, bottom = box
    assert place[0] <= left < place[0] + 40 and place[1] <= top < place[1] + 40
    assert place[0] + 380 < right <= place[0] + 420 and place[1] + 290 < bottom <= place[1] + 330


def test_a_page_of_text_has_no_photograph():
    assert photograph_box(page(None)) is None


def test_a_photograph_is_no_page():
    for seed in range(4):
        assert photograph_box(Image.fromarray(colored(400, 500, seed))) is None
    assert photograph_box(Image.new("RGB", (300, 200), "white")) is None
    assert photograph_box(Image.new("RGB", (3, 2), "white")) is None


def test_tones_are_those_that_fill_the_page():
    counts = np.full(256, 10.0)
    assert page_tones(counts) == []
    counts[250], counts[249], counts[40] = 2000, 500, 1500
    assert sorted(page_tones(counts)) == [40, 250] or sorted(page_tones(counts))[0] in range(38, 43)


def test_largest_rectangle_is_the_best_of_all():
    rng = np.random.default_rng(0)
    for _ in range(20):
        values = rng.normal(-0.3, 1, (6, 7))
        every = {
            (top, bottom, left, right): values[top:bottom, left:right].sum()
            for top in range(6) for bottom in range(top + 1, 7) for left in range(7) for right in range(left + 1, 8)
        }  # fmt: skip
        top, bottom, left, right = largest_rectangle(values)
        assert every[top, bottom, left, right] == pytest.approx(max(every.values()))
    assert largest_rectangle(np.full((4, 5), -1.0)) == (0, 0, 0, 0)
