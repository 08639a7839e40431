"""The generated pages: nothing is left out of them, they are stable, and they are what stands in docs/."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config import generate
from pykeepalived.config.as_json import as_json
from pykeepalived.config.listing import Sort, rows
from pykeepalived.pages import completion, json_schema, manual, reference
from pykeepalived.pages.sections import sections
from tests.config.machine import Machine
from tests.config.reading import COMMANDS, instance_text, messages, read, server_text


def _old(path: str) -> bool:
    """Whether it is a deprecated block or stands in one."""
    return any(row.sort is Sort.BLOCK and row.target and f"{path}/".startswith(f"{row.path}/") for row in rows())


def test_pages_in_docs_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_page_is_named_and_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main([], tmp_path) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(generate.PAGES) == 9
    assert generate.main(["--check"], tmp_path) == 0
    page = tmp_path / "man" / "pykeepalived.8"
    page.write_text(page.read_text() + "x")
    assert generate.main(["--check"], tmp_path) == 1
    assert "docs/man/pykeepalived.8 is not what the tables say" in capsys.readouterr().err
    assert generate.main([], tmp_path) == 0
    assert capsys.readouterr().out == "docs/man/pykeepalived.8\n"


def test_every_path_is_in_exactly_one_section() -> None:
    told = [row.path for section in sections() for row in section.rows]
    assert len(told) == len(set(told))
    homes = {path for section in sections() for path in section.paths}
    for row in rows():
        parent = row.path.rpartition("/")[0].removesuffix("/<entry>")
        if row.sort is not Sort.PREPROCESSOR and not row.target and parent and not _old(row.path):
            assert parent in homes, row.path
    assert len(homes) > 20


def test_the_reference_names_every_keyword() -> None:
    page = reference.keywords_page()
    for row in rows():
        if row.sort is not Sort.BLOCK:
            assert f"| `{row.name}" in page, row.path
    widths = {line.count(" | ") for line in page.replace("\\|", "").splitlines() if line.startswith("| `")}
    assert widths <= {1, 3}


def test_the_manual_names_every_keyword() -> None:
    page = manual.configuration_page().replace("\\-", "-").replace("\\(ti", "~").replace("\\(ha", "^")
    for row in rows():
        if not _old(row.path):
            assert f"\\fB{row.name}" in page, row.path


def test_nothing_is_announced_and_left_out() -> None:
    for name, make in generate.PAGES.items():
        page = make()
        for leaked in ("Values: .", "Default:  ", "``", "None.", " object at ", "Unset.", "(value=", "  |  |  |  |"):
            assert leaked not in page, (name, leaked)


@pytest.mark.parametrize("make", [manual.configuration_page, manual.daemon_page])
def test_groff_has_nothing_to_say_about_the_manual(make: Any) -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww"], input=make(), capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "pykeepalived" in done.stdout


def test_the_examples_of_the_manual_are_sound() -> None:
    page = manual.configuration_page().replace("\\e", "\\").replace("\\-", "-")
    examples = re.findall(r"\.nf\n\.RS\n(.*?)\.RE\n\.fi", page, re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        loaded = read(example, Machine(commands=COMMANDS, host_name="node1"))
        assert messages(loaded) == [], example
    assert len(read(examples[1]).configuration.virtual_server[1].real_server) == 2
    assert read(examples[2], Machine(host_name="node1")).configuration.vrrp_instance[0].priority == 150


FILE = (
    "global_defs {\nenable_script_security\nscript_user root\nnotify_fifo /run/f root\n}\n"
    "vrrp_script s {\nscript /opt/check.sh\n}\n"
    + instance_text("notify /usr/bin/notify nobody :adm\ntrack_script {\ns\n}\nunicast_peer {\n10.0.0.9 min_ttl 3\n}")
    + server_text(
        "sorry_server 10.9.0.9 80",
        "TCP_CHECK {\n}\nHTTP_GET {\nurl {\npath /\ndigest 0123456789abcdef0123456789abcdef\n}\n}",
    )
)
WIDE = """
global_defs {
    lvs_sync_daemon eth0 VI_1
    lvs_timeouts tcp 900
    smtp_server 10.0.0.25
    notification_email { a@example.com }
    vrrp_garp_extra_if all 7
}
SSL { ca /etc/ca }
static_routes { 10.2.0.0/16 nexthop via 10.0.0.9 weight 2 nexthop dev eth1 encap mpls 7 }
static_rules { from 10.0.0.0/24 table 100 preference 10 }
interface_up_down_delays { eth1 2 0.5 }
virtual_server_group WEB { 10.3.0.1-9 80 }
vrrp_track_process haproxy { process haproxy }
track_file number { file /run/number }
bfd_instance peer { neighbor_ip 10.0.0.2 }
garp_group { garp_interval 0.5 interface eth0 }
vrrp_instance VI_1 {
    interface eth0
    use_vmac vrrp.51 02:00:00:aa:bb:cc
    version 3
    virtual_router_id 51
    virtual_ipaddress { 10.0.0.1/24 }
    virtual_routes { default via 10.0.0.254 dev eth0 table 100 mtu lock 1400 }
    virtual_rules { from 10.0.0.0/24 table 100 preference 11 }
    track_process { haproxy }
    track_file { number }
    track_bfd { peer weight 3 }
    auth_hmac { key 1 hex:%s active_key 1 }
}
virtual_server group WEB {
    protocol TCP
    lvs_sched mh
    lvs_method DR
    real_server 10.3.1.1 80 {
        SSL_GET { url { path /x } }
        MISC_CHECK { misc_path /usr/bin/true }
        DNS_CHECK { name example.com }
        SMTP_CHECK { helo_name me }
        PING_CHECK { }
        UDP_CHECK { payload 00ff require_reply 61x2 }
        FILE_CHECK { track_file number }
        BFD_CHECK { name peer }
    }
}
""".replace("%s active_key 1", f"{'ab' * 32}\n active_key 1")


def test_the_wide_example_has_everything() -> None:
    loaded = read(WIDE, Machine(commands=COMMANDS))
    (server,) = loaded.configuration.virtual_server
    assert len(server.real_server[0].checkers) == 8
    missing = [name for name in type(loaded.configuration).__dataclass_fields__ if not _held(loaded, name)]
    assert missing == ["vrrp_sync_group", "vrrp_script", "track_group", "static_ipaddress", "linkbeat_interfaces"]


def _held(loaded: Any, name: str) -> bool:
    return bool(getattr(loaded.configuration, name))


@pytest.mark.parametrize("text", ["", FILE, WIDE])
def test_what_is_printed_is_what_the_schema_says(text: str) -> None:
    machine = Machine(commands=COMMANDS)
    document = json.loads(json.dumps(as_json(read(text, machine).configuration, machine)))
    schema = json.loads(json_schema.schema_page())
    assert list(_wrong(document, schema, schema, "")) == []


def test_the_schema_refuses_what_is_not_printed() -> None:
    machine = Machine(commands=COMMANDS)
    document = json.loads(json.dumps(as_json(read(FILE, machine).configuration, machine)))
    schema = json.loads(json_schema.schema_page())
    document["vrrp_instance"][0]["priority"] = "high"
    document["virtual_server"][0]["more"] = 1
    del document["global_defs"]["router_id"]
    assert sorted(_wrong(document, schema, schema, "")) == [
        "/global_defs: lacks router_id",
        "/virtual_server/0: more is too much",
        "/vrrp_instance/0/priority: is no integer",
    ]


def _wrong(value: Any, schema: dict[str, Any], root: dict[str, Any], place: str) -> list[str]:
    """What of a value is not as the schema says, as far as our schema goes."""
    if "$ref" in schema:
        schema = {
            **root["$defs"][schema["$ref"].rpartition("/")[2]],
            **{k: v for k, v in schema.items() if k != "$ref"},
        }
    if "anyOf" in schema:
        tried = [_wrong(value, each, root, place) for each in schema["anyOf"]]
        return [] if any(not each for each in tried) else min(tried, key=len)
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: {value!r} is not allowed"]
    if "const" in schema and value != schema["const"]:
        return [f"{place}: {value!r} is not {schema['const']!r}"]
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    kind = schema.get("type")
    numbers = {"integer": int, "number": int | float}
    if kind in kinds and not isinstance(value, kinds[kind]):
        return [f"{place}: is no {kind}"]
    if kind in numbers and (isinstance(value, bool) or not isinstance(value, numbers[kind])):
        return [f"{place}: is no {kind}"]
    found = []
    if kind == "object":
        found += [f"{place}: lacks {name}" for name in schema["required"] if name not in value]
        found += [f"{place}: {name} is too much" for name in value if name not in schema["properties"]]
        for name, inner in schema["properties"].items():
            if name in value:
                found += _wrong(value[name], inner, root, f"{place}/{name}")
    if kind == "array":
        parts = schema.get("prefixItems")
        if parts is not None and len(parts) != len(value):
            found.append(f"{place}: has not {len(parts)} items")
        for index, each in enumerate(value):
            inner = parts[index] if parts is not None and index < len(parts) else schema.get("items")
            found += _wrong(each, inner, root, f"{place}/{index}") if isinstance(inner, dict) else []
    return found


def test_bash_completes_options_and_paths(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    (tmp_path / "pykeepalived").write_text(
        "#!/bin/sh\nprintf 'vrrp_instance/advert_int\\tworks\\na/<entry>/b\\tworks\\n'\n"
    )
    (tmp_path / "pykeepalived").chmod(0o755)
    script = (
        f'PATH="{tmp_path}:$PATH"\n{completion.bash()}\n'
        'try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pykeepalived; echo "${COMPREPLY[*]}"; }\n'
        "try pykeepalived --list\ntry pykeepalived --explain vrrp\ntry pykeepalived --format j\n"
        "try pykeepalived --explain = vrrp\ntry pykeepalived --diff /etc/hostn\ntry pykeepalived --diff x /etc/hostn\n"
    )
    done = subprocess.run([bash, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[:4] == ["--list-keywords", "vrrp_instance/advert_int", "json", "vrrp_instance/advert_int"]
    assert lines[4] == lines[5] == "/etc/hostname"


@pytest.mark.parametrize(
    ("shell", "arguments", "make"),
    [("zsh", ["-n"], completion.zsh), ("fish", ["--no-execute"], completion.fish), ("bash", ["-n"], completion.bash)],
)
def test_shells_can_read_their_completion(shell: str, arguments: list[str], make: Any, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    file = tmp_path / "completion"
    file.write_text(make())
    done = subprocess.run([program, *arguments, str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
