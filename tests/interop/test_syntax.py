"""keepalived's own reading of small texts: which keywords it finds, and what -t exits with, beside ours.

Words that nobody knows are named by both; so a text of such words shows how it was taken apart. Where the two differ on
purpose, ``docs/differences.md`` says so and no text of that kind stands here.
"""

import re
import subprocess
from pathlib import Path

import pytest

from pykeepalived.config.load import LoadOptions, load
from pykeepalived.kernel.surroundings import LinuxSurroundings
from tests.support import keepalived

FILES = {"a.conf": "fa\n", "b.conf": "fb\n", "s/c.conf": "fc\ninclude d.conf\n", "s/d.conf": "fd\n"}
LEAST = 150
"""Texts. May only rise."""

LINES = [
    # comments, quotes, blanks, ends of lines
    *("a#b c\nd!e\n", '"a#b" c\nx"#"y\n', "'a#b' c\n", 'a\\"b#c d\n', '"a\\"#b"\n', "a\\\\#b\n"),
    *("a\\\nb\n", "a \\\nb\n", "a b\\\n", "a \t \\\n", 'a "b # c\nd\n', '"b c\nd\n', 'x"y z"w\n', '"" b\n'),
    *("a\r\nb c\r\n", "a\rb\n", "a\r\r\n", "a\fb\n\vc\n", "\f\n", "\n\n", "", "a\u00a0b\n", "\u201ca\u201d b\n"),
    *('global_defs {\nrouter_id \\"a\n}\n', "global_defs {\nrouter_id it's\n}\n", '# it"s\n', "#" + "x" * 1021 + "\n"),
    *("global_defs {\nvrrp_version 3 \\\n}\n", "global_defs {\nvrrp_version \\\n3\n}\n"),
    # braces
    *("global_defs{router_id a}b\n", 'global_defs { router_id "{" }\nb\n', "global_defs {\nrouter_id a\n", "a }b\n"),
    *("global_defs { foo bar }b\n", "global_defs\n{\nfoo\n}\nbar\n", "global_defs { include a.conf }\n"),
    # definitions
    *("$A=k\n${A}1 x\n$A x\n", "$S =x\n", "$1=x\n", "$N=k\n$N.1\n$N,\n$N) x\n$N-1\n'$N'\n", "$N=k\n$N\tx\n", "$N x\n"),
    *("$N=k\r\n$N\r\n$N x\r\n", "$N=\n${N}x\n$N\ny\n", '$N="a b"\n$N c\n', "$N=a#b\n$N\n", '$N="a#b"\n$N\n'),
    *(
        "$N=a\\#b\n$N\n",
        "$N=   k  \nx${N}y\n",
        "$N=a\n$B=${N}1\n$N=b\n$B\n",
        '"${N}"\n',
        "global_defs { $N=foo }\n$N\n",
    ),
    *("x${_PWD}y\n", "x${_INSTANCE}\n$_INSTANCE\n", "$_PWD=k\n${_PWD}\n", 'x${_HASH}y\n"x${_HASH}y"\n', "x${_BANG}y\n"),
    *("x${_RANDOM 5 5}\n", "x${_RANDOM  5  5}\n", "x${_RANDOM 9999999999 9999999999}\n", "$N=~SEQ(I,1,2) k${I}\n$N\n"),
    *("$A=1\n$B1=k\nx${B${A}}\n${B${A}}${B${A}}\n", "$P=Q\n$Q=k\n$${P} x\n", "$P=$Q=k\n$P\n$Q\n", "$$A\n$ x\na$\n"),
    *("$P=Q\n$${P}=k\n${Q}1\n", "~SEQ(A,1,2) $X${A}=k${A}\n$X1\n$X2\n", "$H=#x\na ${H} b\nk${H}\n", "\f$N=k\n"),
    # of several lines
    *("$A= \\\n b c \\\n d\n$A\n", "$A=b \\\n c\n$A\n", "$A=\\\n b \\\n c\nx $A\n", "$A=\\\nb \\\nc\nx${A}\n"),
    *(
        "$A=\\\nb \\\nc\nx $A y\n",
        "$A= \\ # c\n b \\ # d\n c # e\n$A\n",
        "$A= \\\n b \\\n\n c\n$A\n",
        "$A= \\\n b \\\n",
    ),
    *("$A= \\\n \\\n b\n$A\n", "$A=\\\na \\\nb\n$B=\\\nc \\\n$A \\\nd\n$B\n", "$A=\\\na${N} \\\nb\n$N=4\n$A\n"),
    *(
        "$A=\\\n~SEQ(I,1,2) b${I} \\\nc\n$A\n",
        "$A=\\\nb${I} \\\nc${I}\n~SEQ(I,1,2) $A\nd\n",
        "$A= # z \\\n b \\\n c\n$A\n",
    ),
    *("$A= \\\n b # z \\\n c\n$A\n", "@node1 $A=\\\n b \\\n c\n$A\n", "$A=\\\nb \\\nc\n@node1 $A\n@node2 $A\nd\n"),
    *(
        "include x\nb\n$A\n",
        "$A=\\\nfoo \\\nbar\nglobal_defs { $A\n}\n",
        "$A=\\\nb \\\nc\n$A=d\n$A\n",
        "$A=b\\\nc\n$A\n",
    ),
    # conditions
    *(
        "@node1 a\n@node2 b\n@^node1 c\n@^node2 d\n@node1\n@Node1 e\n",
        "@node1\ta\n",
        "@node1 @node1 x\n",
        "@ a\n@^ b\n",
    ),
    *("@node1\fa\n@node2\fb\n", "\f@node1 a\n", '"@node2" a\n', "$I=node1\n@$I a\n@${I} b\n", "@node a\n@node12 b\n"),
    *("global_defs { @node2 foo\n@node1 bar }\n", "@node1 $A=k\n@node2 $A=l\n$A\n", "@^ node1 a\n", "@node1 # a\nb\n"),
    # includes
    *(
        "include a.conf # c\n",
        "include\ta.conf \t\n",
        "Include a.conf\n",
        "include\n",
        "includes a.conf\n",
        "x include a.conf\n",
    ),
    *(
        'include "a.conf"\n',
        "include a.conf b.conf\n",
        "include {b,a}.conf\n",
        "include [ab].conf\n",
        "include a\\.conf\n",
    ),
    *("include s/c.conf\ninclude a.conf\n", "include ./a.conf\n", "\finclude a.conf\n", "include a.conf }\n"),
    *("global_defs {\ninclude_check readable\n}\n", "global_defs {\ninclude_check match read\n}\n"),
]
SEQUENCES = [
    *("I, 3", "I, -2", "I, 0", "I, 5, 3", "I, 1, 2, 6", "I,3,-1,1", "I, -1, -3", "I,1", "I,1,0,3", "I,1,-1,3", "I,010"),
    *("I,0x10, 0x12", "I,1,2,3,4", "", "I", "I,x", "I,1x", "I, 1 , 2 ", "I,+2", "I,3,,4", "I,08", "I,-0x2", "I,\t1"),
    *("I,$K", "I,${K}", "I,$K,3", "I,1.5", "I,--1", "I,5,-2,0", "I,      " + " " * 60 + "$K"),
]
HEXADECIMAL = ["I, 9, 12", "I,-2", "I,0x9,3,0x12", "I,3,-1,1", "I,-1,1", "I,0,0"]
LISTS = [
    *("{I,J},{a,b},{c,d}", "{I,J},{a},{c,d}", "{I,J},a,b", "{I,J},{a,b,c}", "I,{a,b}", "{I,J},{,b}", "{I,J},{a,}"),
    *("{I,J}, { a , b }", '{I,J},"a b",c', "{I,J},a b,c", "{I,J},{a b,c}", "{I,J", "{I,J},{a,b", "", "I,a}", "I,{a"),
    *("{I,J},{$K,l}", "{I,J},{a,b}{c,d}", "{I J},{a,b}", "{I,J},{a,b},", "{I,J},{}", "{ I , J },{a,b}", "I,${K},l"),
]
CHECKS = [
    f"include{letter} {pattern}\nz\n"
    for letter in ("", "r", "m", "w", "b", "a")
    for pattern in ("no.conf", "no*.conf", "{a,no}.conf", "no/*.conf", "a.conf/*", "s", "x.sh", "{a,no}*.conf")
]
TEXTS = [
    *LINES,
    *(f"$K=2\n~SEQ({each}) k${{I}}\nz\n" for each in SEQUENCES),
    *(f"~SEQx({each}) k${{I}}\nz\n" for each in HEXADECIMAL),
    *(f"$K=2\n~LST({each}) k${{I}}${{J}}\nz\n" for each in LISTS),
    *CHECKS,
]

pytestmark = pytest.mark.skipif(keepalived.why_not() is not None, reason=str(keepalived.why_not()))


def test_there_are_enough_texts() -> None:
    assert len(set(TEXTS)) >= LEAST


@pytest.mark.parametrize("text", TEXTS)
def test_both_find_the_same_keywords(text: str, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    for name, content in {**FILES, "main": text, "x": "$A=\\\nk \\\n", "x.sh": "fx\n"}.items():
        (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    (tmp_path / "x.sh").chmod(0o755)
    path = str(tmp_path / "main")
    command = [str(keepalived.binary()), "-t", "-i", "node1", "-f", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    loaded = load(path, LinuxSurroundings(), LoadOptions(config_id="node1"))
    ours = [found[1] for each in loaded.diagnostics if (found := re.search("Unknown keyword '(.*)'", each.message))]
    # a child names what stands in the files; a brace that was torn off is one to keepalived
    theirs = set(re.findall(r"Line \d+\) Unknown keyword '(.*)'", done.stderr)) - {"}"}
    assert loaded.exit_code == done.returncode
    if done.returncode != 6:  # then the children did not read
        assert set(ours) == theirs
