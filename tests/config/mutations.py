"""Configuration texts as a tired operator, a bad editor or a broken disk would leave them."""

import random
from collections.abc import Iterator

PIECES = (
    *("{", "}", '"', "'", "\\", "#", "!", "$", "${", "${A}", "$A=", "$A=${A}${A}", "$A=\\\n", "@id ", "@^x "),
    *("~SEQ(I, 9)", "~SEQ(I,1,99999999)", "~SEQx(A,1,-1,9)", "~LST(A,{a,b},c)", "~LST({A,B},{1,2})"),
    *(
        "include *.conf",
        "includea x",
        "include /k.conf",
        "\x00",
        "\r\n",
        "\t",
        "\ufeff",
        "\udcff",
        "\xe9",
        "\xa0",
        "\x1c",
    ),
    *("9" * 5000, "-1", "0x10", "1.", ".", "10s", "${_RANDOM 5 1}", "${_ENV}", "${_PWD}", "{}", "}{", "::", "\xb3"),
    *("1.2.3.4/33", "no_such_keyword", "vrrp_instance", "virtual_ipaddress {", "track_script", "include_check"),
    "x" * 1100,
)


def mutations(texts: list[str], seed: int, count: int) -> Iterator[str]:
    """``count`` mutated texts, the same for the same seed."""
    dice = random.Random(seed)
    for _ in range(count):
        lines = dice.choice(texts).split("\n")[:400]
        for _ in range(dice.randint(1, 6)):
            _mutate(lines, dice)
        yield "\n".join(lines)


def _mutate(lines: list[str], dice: random.Random) -> None:
    at = dice.randrange(len(lines)) if lines else 0
    if not lines:
        lines.append(dice.choice(PIECES))
        return
    line = lines[at]
    place = dice.randint(0, len(line))
    match dice.randrange(9):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[dice.randrange(len(lines))])
        case 2 | 3:
            lines[at] = line[:place] + dice.choice(PIECES) + line[place:]
        case 4:
            lines[at] = line[:place] + line[place + dice.randint(1, 5) :]
        case 5:
            words = line.split()
            dice.shuffle(words)
            lines[at] = " ".join(words)
        case 6:
            lines[at] = line[:place] + chr(dice.randrange(256)) + line[place + 1 :]
        case 7:
            other = lines[dice.randrange(len(lines))]
            lines[at] = line[:place] + " " + other.strip()
        case _:
            words = line.split()
            if words:
                words[dice.randrange(len(words))] = dice.choice(PIECES)
            lines[at] = " ".join(words)
