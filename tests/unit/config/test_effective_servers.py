"""All of virtual servers runs, each in the process it is for."""

from pykeepalived.config.effective import effective
from tests.config.reading import read, server_text, sound

GROUP = "virtual_server_group web {\n10.9.0.1-5 80\n}\n"
URL = "url {\npath /\n}"
SSL = "SSL {\nca /etc/ca.pem\n}\n"


def test_what_runs_is_left_alone() -> None:
    configuration = sound(
        server_text("", f"TCP_CHECK {{\n}}\nHTTP_GET {{\n{URL}\n}}\nSSL_GET {{\n{URL}\n}}\nSMTP_CHECK {{\n}}")
    ).configuration
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


def test_each_process_gets_only_its_own() -> None:
    configuration = read(GROUP + SSL + server_text("")).configuration
    vrrp, checker = configuration.vrrp_part(), configuration.checker_part()
    assert (vrrp.virtual_server, vrrp.virtual_server_group, vrrp.ssl) == ((), (), None)
    assert len(checker.virtual_server) == len(checker.virtual_server_group) == 1
    assert checker.ssl == configuration.ssl
