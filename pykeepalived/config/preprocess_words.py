"""What is read before the blocks, for people: includes, definitions, repetitions, conditions.

The reading itself is in ``preprocess.py`` and ``sequences.py``.
"""

from pykeepalived.records import record


@record(frozen=True, slots=True)
class PreprocessWord:
    """One construct: how it begins, what follows, and what it does."""

    name: str
    arguments: str
    doc: str


WORDS = (
    PreprocessWord("include", "GLOB", "Reads further files here; one that is missing or cannot be read is only told."),
    PreprocessWord("includer", "GLOB", "As include; a file that is there and cannot be read is an error."),
    PreprocessWord("includem", "GLOB", "As includer; a file that is named and missing is an error too."),
    PreprocessWord("includew", "GLOB", "As includem; a pattern that no file matches is an error too."),
    PreprocessWord("includeb", "GLOB", "As includer; each word between braces must stand for a file."),
    PreprocessWord("includea", "GLOB", "Everything that the other includes demand."),
    PreprocessWord("$NAME=", "VALUE", "Gives a name to a text; a backslash at the end of the line continues it."),
    PreprocessWord("$NAME", "", "Stands for that text, before a blank, a comma, a parenthesis or the end of the line."),
    PreprocessWord("${NAME}", "", "Stands for that text, anywhere in a line."),
    PreprocessWord("${_PWD}", "", "The directory of the file being read."),
    PreprocessWord("${_INSTANCE}", "", "The configuration id: that of -i, else the host name up to its first dot."),
    PreprocessWord("${_RANDOM}", "[MIN [MAX]]", "A random number, from 0 to 32767 unless the bounds are given."),
    PreprocessWord("${_ENV}", "NAME", "A variable of the environment: ${_ENV NAME}; nothing where it is not set."),
    PreprocessWord("${_HASH}", "", "The character #, which between double quotes begins no comment."),
    PreprocessWord("${_BANG}", "", "The character !, which between double quotes begins no comment."),
    PreprocessWord("~SEQ(", "VAR, [START, [STEP,]] END) TEXT", "Repeats the text for each number of a sequence."),
    PreprocessWord("~SEQx(", "VAR, [START, [STEP,]] END) TEXT", "As ~SEQ, with the numbers in hexadecimal."),
    PreprocessWord("~LST(", "VAR|{VAR,...}, VALUE|{VALUE,...}, ...) TEXT", "Repeats the text for each of some values."),
    PreprocessWord("@ID", "LINE", "The line counts where the configuration id is ID."),
    PreprocessWord("@^ID", "LINE", "The line counts where the configuration id is not ID."),
)
