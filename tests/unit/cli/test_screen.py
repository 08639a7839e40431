"""Colours are for terminals, and for nobody who has forbidden them."""

import io

import pytest

from pykeepalived.cli.screen import GREEN, coloured, colours


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("value", "wanted"), [(None, True), ("", True), ("1", False), ("0", False)])
def test_no_color_forbids_them_unless_it_is_empty(
    value: str | None, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)
    assert colours(_Terminal()) is wanted
    assert colours(io.StringIO()) is False


def test_a_text_in_colour() -> None:
    assert coloured("added", GREEN, on=True) == "\x1b[32madded\x1b[0m"
    assert coloured("added", GREEN, on=False) == "added"
