"""What of virtual servers runs today: checkers that cannot be carried out and groups are taken out, and said."""

from pykeepalived.config.blocks.checkers import TcpCheck
from pykeepalived.config.effective import effective
from tests.config.reading import read, server_text, sound

GROUP = "virtual_server_group web {\n10.9.0.1-5 80\n}\n"
SSL = "SSL {\nca /etc/ca.pem\n}\n"


def test_what_runs_is_left_alone() -> None:
    configuration = sound(server_text("", "TCP_CHECK {\n}\nHTTP_GET {\nurl {\npath /\n}\n}")).configuration
    assert effective(configuration) == (configuration, ())


def test_a_group_runs() -> None:
    text = GROUP + server_text("").replace("10.9.0.100 80", "group web") + server_text("") + SSL
    loaded = sound(text)
    assert [str(each.service) for each in loaded.configuration.virtual_server] == ["[web]:0", "[10.9.0.100]:tcp:80"]
    assert loaded.configuration.ssl is not None
    runnable, said = effective(loaded.configuration)
    assert (runnable.virtual_server, runnable.virtual_server_group) == (
        loaded.configuration.virtual_server,
        loaded.configuration.virtual_server_group,
    )
    assert said == ()


def test_a_server_without_a_checker_that_is_effective_counts_as_up_and_that_is_said() -> None:
    loaded = sound(server_text("", "PING_CHECK {\n}\nSSL_GET {\nurl {\npath /\n}\n}"))
    assert len(loaded.configuration.virtual_server[0].real_server[0].checkers) == 2
    assert [each.partition(" ")[0] for each in loaded.not_effective] == [
        "virtual_server/real_server/PING_CHECK",
        "virtual_server/real_server/SSL_GET",
    ]
    runnable, said = effective(loaded.configuration)
    assert runnable.virtual_server[0].real_server[0].checkers == ()
    (sentence,) = said
    assert "real server 10.9.0.1 80 has no checker that is effective: it counts as up" in sentence


def test_a_server_with_another_checker_keeps_that() -> None:
    runnable, said = effective(sound(server_text("", "PING_CHECK {\n}\nTCP_CHECK {\n}")).configuration)
    (found,) = runnable.virtual_server[0].real_server[0].checkers
    assert isinstance(found, TcpCheck)
    assert said == ()


def test_each_process_gets_only_its_own() -> None:
    configuration = read(GROUP + SSL + server_text("")).configuration
    vrrp, checker = configuration.vrrp_part(), configuration.checker_part()
    assert (vrrp.virtual_server, vrrp.virtual_server_group, vrrp.ssl) == ((), (), None)
    assert len(checker.virtual_server) == len(checker.virtual_server_group) == 1
    assert checker.ssl == configuration.ssl
