"""SSL: the client's certificate."""

import pytest

from pykeepalived.config.blocks.ssl import Ssl
from tests.config.reading import messages, read, sound


def test_ssl() -> None:
    loaded = sound("SSL {\npassword secret\nca /a\ncertificate /b\nkey /c\n}")
    assert loaded.configuration.ssl == Ssl(password="secret", ca="/a", certificate="/b", key="/c")
    assert sound("SSL {\n}").configuration.ssl == Ssl()
    assert sound("").configuration.ssl is None


@pytest.mark.parametrize("name", ["password", "ca", "certificate", "key"])
def test_each_word_must_be_there_and_once(name: str) -> None:
    assert f"{name} needs a word" in messages(read(f"SSL {{\n{name}\n}}"))[0]
    loaded = read(f"SSL {{\n{name} /a\n{name} /b\n}}")
    assert f"{name} is set already, this one replaces it" in messages(loaded)[0]
    assert getattr(loaded.configuration.ssl, name) == "/b"


def test_a_second_block_replaces_the_first() -> None:
    loaded = read("SSL {\nca /a\nkey /k\n}\nSSL {\nca /b\n}")
    assert loaded.configuration.ssl == Ssl(ca="/b")
    assert messages(loaded) == ["5:1 SSL is there already, this one replaces it"]
