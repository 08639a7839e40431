"""What the demonstration judges by: outages among requests, and the two directors' files."""

import pytest

from tests.lab.failover_demo import Answer, configuration, longest_outage


def requests(pages: str, first: float = 10.0) -> list[Answer]:
    """One request a tenth of a second; a dot has no answer."""
    return [Answer(first + number / 10, "-" if page == "." else page) for number, page in enumerate(pages)]


@pytest.mark.parametrize(
    ("pages", "length", "start"),
    [
        ("aaaaaa", 0.0, 0.0),
        ("aa.aaa", 0.2, 10.1),
        ("a.aa...a", 0.4, 10.3),
        ("aaa...", 0.3, 10.2),  # still out at the end
        ("...aaa", 0.0, 0.0),  # nothing to measure from
    ],
)
def test_the_longest_outage_lies_between_two_answers(pages: str, length: float, start: float) -> None:
    assert longest_outage(requests(pages)) == pytest.approx((length, start))


def test_a_client_that_paused_saw_no_outage() -> None:
    assert longest_outage([*requests("aa"), *requests("aa", first=20.0)])[0] == 0.0


def test_the_directors_files_differ_in_two_lines() -> None:
    first, second = configuration("director1").splitlines(), configuration("director2").splitlines()

    differing = [line.split("#")[0].split() for line, other in zip(second, first, strict=True) if line != other]
    assert differing == [["router_id", "director2"], ["priority", "100"]]
