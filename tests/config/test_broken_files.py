"""Broken files: each answer names the right line and the remedy, and the page that shows them is fresh."""

import pytest

from tests.config.broken_files import PAGE, Broken, all_of_them, page

FILES = all_of_them()


def test_there_are_enough() -> None:
    assert len(FILES) >= 20


@pytest.mark.parametrize("broken", FILES, ids=lambda each: each.name)
def test_the_answer_names_the_place_and_the_remedy(broken: Broken) -> None:
    answer = broken.answer()
    for line in broken.lines:
        assert f"keepalived.conf:{line}:" in answer or f"line {line}" in answer, answer
    assert broken.remedy in answer, answer


@pytest.mark.parametrize("broken", FILES, ids=lambda each: each.name)
def test_nothing_is_said_twice(broken: Broken) -> None:
    places = [(each.span.line, each.span.column) for each in broken.loaded().diagnostics if each.span]
    assert len(places) == len(set(places)), broken.answer()


@pytest.mark.parametrize("broken", FILES, ids=lambda each: each.name)
def test_the_verdict_is_keepaliveds(broken: Broken) -> None:
    theirs = int(broken.recorded().rsplit(" ", 1)[1])
    assert (broken.loaded().exit_code == 0) == (theirs == 0)


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.config.broken_files"
