import pytest

from cliqa.training.scale.card import EARLIER, MISSING, main, section, with_section, write_card

VALUES = {"parameters": "1", "examples": "2", "command": "three", "epochs": 4, "reading": "five", "table": "| six |"}


def test_a_new_fit_keeps_what_was_measured_and_says_so(tmp_path):
    path = tmp_path / "card.md"
    write_card(path, VALUES)
    assert section(path.read_text(), "accuracy") == section(path.read_text(), "upscalers") == MISSING
    assert "three" in path.read_text() and "| six |" in path.read_text()
    path.write_text(with_section(path.read_text(), "accuracy", "| MAE | 0.01 |\n"))
    for _ in range(2):
        write_card(path, VALUES)
        assert section(path.read_text(), "accuracy") == f"{EARLIER}\n\n| MAE | 0.01 |"
    assert section(path.read_text(), "upscalers") == MISSING


def test_the_command_replaces_both_sections(tmp_path):
    path = tmp_path / "card.md"
    write_card(path, VALUES)
    for name, text in (("accuracy", "## scale_factor\n\n| AUC | 0.99 |\n"), ("upscalers", "| network | 1.0 |\n")):
        (tmp_path / name).write_text(text)
        assert main(["--card", str(path), f"--{name}", str(tmp_path / name)]) == 0
    card = path.read_text()
    assert section(card, "accuracy") == "| AUC | 0.99 |" and section(card, "upscalers") == "| network | 1.0 |"
    assert card.count("<!--") == 4


def test_a_card_without_the_section_is_refused():
    with pytest.raises(ValueError, match="no section"):
        with_section("# another card", "accuracy", "")
