"""Keywords whose grammar is their own have a test made by hand, besides those that are made from the tables."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from pykeepalived.config import kinds, kinds_lvs
from pykeepalived.config.kinds import Kind
from pykeepalived.config.kinds_firewall import ChainNames, IpsetNames, TableName
from pykeepalived.config.kinds_global import (
    CpuList,
    FifoKind,
    MailServerKind,
    MulticastV6,
    OneWord,
    ProcessName,
    RealTimeLimit,
    RealTimePriority,
    ReceiveBuffersKind,
    Umask,
)
from pykeepalived.config.kinds_ipvs import LvsTimeoutsKind, SyncDaemonKind
from pykeepalived.config.kinds_routes import (
    AnyBase,
    Feature,
    Host,
    IpProtocol,
    Lockable,
    Mark,
    Named,
    Network,
    OnOff,
    Preference,
    Realms,
    Span,
)
from pykeepalived.config.kinds_trackers import FileWeight, InitFile, Milliseconds, TrackerWeight
from pykeepalived.config.kinds_vrrp import (
    ExtraGarpKind,
    HmacKeyKind,
    IpvlanArguments,
    OneNumber,
    Switch,
    VmacArguments,
)
from pykeepalived.config.listing import ENTRY, Sort, rows

HERE = Path(__file__).parent
PLAIN: frozenset[type[Kind]] = frozenset(
    {
        *(kinds.Integer, kinds.Timer, kinds.Flag, kinds.Boolean, kinds.Choice, kinds.Word, kinds.Interface),
        *(kinds.Address, kinds.Port, kinds.Hex),
    }
)
"""Kinds of one word, of which a sample of each bound says everything."""
_GLOBAL = ("test_global_defs.py::test_values", "test_global_defs.py::test_mistakes_and_what_stands_all_the_same")
_LVS = "test_kinds_lvs.py::test_what_is_written_reads_as_the_same"
_VRRP = ("test_kinds_vrrp.py::test_words_have_their_value_and_the_value_has_words",)
_VRRP_WRONG = "test_kinds_vrrp.py::test_what_is_wrong_is_said_at_its_word"
_ROUTE = ("test_routes.py::test_what_a_line_means", "test_routes.py::test_a_line_that_is_wrong_is_left_out_and_counts")
_RULE = ("test_rules.py::test_what_a_line_means", "test_rules.py::test_a_line_that_is_wrong_is_left_out_and_counts")
_WRITTEN = "test_routing_tables.py::test_what_is_read_is_written_alike"
TESTS: dict[type[Kind], tuple[str, ...]] = {
    **dict.fromkeys(
        (
            *(CpuList, FifoKind, MailServerKind, MulticastV6, OneWord, ProcessName, RealTimeLimit, RealTimePriority),
            *(ReceiveBuffersKind, Umask, ChainNames, IpsetNames, TableName, LvsTimeoutsKind, SyncDaemonKind),
        ),
        _GLOBAL,
    ),
    kinds.Command: ("test_load.py::test_commands", "test_load.py::test_words_after_a_command_are_lost_and_said"),
    kinds.Words: ("test_load.py::test_script_users", "test_tracked.py::test_processes"),
    kinds.Names: ("test_global_defs.py::test_mail_goes_to_all_words_of_all_blocks",),
    kinds.Endpoint: ("test_servers.py::test_sorry_servers",),
    kinds.Password: ("test_instance_authentication.py::test_a_password_without_a_scheme_is_not_used",),
    kinds.Entries: ("test_routes.py::test_blocks_add_up_and_the_same_route_counts_once",),
    kinds_lvs.NamedEntries: ("test_server_groups.py::test_marks",),
    TrackerWeight: ("test_tracked.py::test_a_weight", "test_trackers.py::test_bounds_of_weights"),
    Milliseconds: ("test_tracked.py::test_milliseconds",),
    InitFile: (
        "test_tracked.py::test_the_content_at_the_start",
        "test_tracked.py::test_a_bad_content_keeps_what_is_good",
    ),
    **dict.fromkeys((VmacArguments, IpvlanArguments, ExtraGarpKind), (*_VRRP, _VRRP_WRONG)),
    HmacKeyKind: (
        *("test_instance_authentication.py::test_keys_of_every_form", "test_kinds_vrrp.py::test_a_key_lacks_a_word"),
        "test_instance_authentication.py::test_mistakes_of_keys",
    ),
    Switch: _VRRP,
    OneNumber: _VRRP,
    kinds_lvs.Method: ("test_servers.py::test_methods", "test_servers.py::test_bad_methods"),
    kinds_lvs.Granularity: ("test_servers.py::test_granularity_is_of_the_services_family",),
    kinds_lvs.Cut: (_LVS, "test_servers.py::test_persistence"),
    kinds_lvs.OneWord: (_LVS,),
    kinds_lvs.HexBytes: (_LVS, "test_checkers.py::test_payloads"),
    kinds_lvs.HexReply: (_LVS, "test_checkers.py::test_a_pattern_is_what_an_answer_begins_with"),
    kinds_lvs.StatusCodes: (_LVS, "test_http_checkers.py::test_status_codes_that_are_good_stand_beside_bad_ones"),
    kinds_lvs.Pattern: ("test_http_checkers.py::test_a_regex_is_decoded_once",),
    kinds_lvs.RegexOptions: ("test_http_checkers.py::test_options_of_a_regex",),
    kinds_lvs.Offset: ("test_http_checkers.py::test_what_is_wrong_with_a_regex_is_said_and_does_not_count",),
    kinds_lvs.StackSizes: ("test_http_checkers.py::test_what_is_wrong_with_a_regex_is_said_and_does_not_count",),
    FileWeight: (_LVS, "test_followers.py::test_a_file_check_has_the_weight_of_its_file"),
    kinds_lvs.DnsName: ("test_checkers.py::test_mistakes_of_a_dns_check",),
    **dict.fromkeys((Named, Realms, AnyBase, Mark, Network, IpProtocol), (*_RULE, _WRITTEN)),
    Span: (*_RULE, "test_rules.py::test_what_keepalived_takes_for_something_else_is_left_out_and_does_not_count"),
    **dict.fromkeys((Host, Lockable, Preference, OnOff, Feature), (*_ROUTE, _WRITTEN)),
}
OPTIONS = {
    **dict.fromkeys(
        ("route/encap", "route/nexthop", "route/or", "route/as", "route/to", "route/add", "route/vrf"), _ROUTE
    ),
    **dict.fromkeys(
        ("route/inet", "route/inet6"), ("test_routes.py::test_a_skipped_word_is_named_as_the_cause_of_what_follows",)
    ),
    **dict.fromkeys(("rule/type", "rule/goto", "rule/from", "rule/protocol"), _RULE),
}
"""Options of which the grammar, not the kind, is their own."""
_CHECKS = ("test_preprocess.py::test_checks_of_includes", "test_includes.py::test_what_each_include_checks")
_PREDEFINED = ("test_preprocess.py::test_predefined",)
_SEQUENCES = ("test_preprocess.py::test_sequences", "test_preprocess.py::test_sequences_that_cannot_be")
_CONDITIONS = ("test_preprocess.py::test_conditions", "test_preprocess.py::test_conditions_in_all_their_forms")
PREPROCESSOR: dict[str, tuple[str, ...]] = {
    "include": ("test_preprocess.py::test_includes_resolve_beside_their_file",),
    **dict.fromkeys(("includer", "includem", "includew", "includeb", "includea"), _CHECKS),
    "$NAME=": ("test_preprocess.py::test_definitions", "test_preprocess.py::test_multi_line_definitions"),
    "$NAME": ("test_preprocess.py::test_definitions",),
    "${NAME}": ("test_preprocess.py::test_an_unknown_reference_is_named_and_torn_by_nothing",),
    **dict.fromkeys(("${_PWD}", "${_INSTANCE}", "${_HASH}", "${_BANG}"), _PREDEFINED),
    "${_RANDOM}": (*_PREDEFINED, "test_preprocess.py::test_random_bounds_the_wrong_way_round"),
    "${_ENV}": (*_PREDEFINED, "test_preprocess.py::test_an_unset_variable_is_empty"),
    **dict.fromkeys(("~SEQ(", "~SEQx("), _SEQUENCES),
    "~LST(": ("test_preprocess.py::test_sequences_and_lists_nest", "test_preprocess.py::test_sequences_that_cannot_be"),
    **dict.fromkeys(("@ID", "@^ID"), _CONDITIONS),
}
"""What is read before the blocks has no values to be made up: its tests are all by hand."""


def test_every_kind_that_is_not_plain_has_tests() -> None:
    used = {type(row.keyword.kind) for row in rows() if row.keyword is not None}
    assert used - PLAIN == set(TESTS)
    assert len(TESTS) >= 50


def test_everything_before_the_blocks_has_tests() -> None:
    assert {row.path for row in rows() if row.sort is Sort.PREPROCESSOR} == set(PREPROCESSOR)
    assert len(PREPROCESSOR) == 20


def test_every_path_of_the_language_has_tests() -> None:
    counts = Counter(row.sort for row in rows())
    assert counts == {
        Sort.KEYWORD: 503,  # test_every_keyword.py, and 25 that open a block of lines in test_every_block.py
        Sort.OPTION: 221,  # test_every_option.py
        Sort.BLOCK: 28,  # test_every_block.py
        Sort.SUBJECT: 10,  # test_every_block.py
        Sort.PREPROCESSOR: 20,  # those named here
    }
    assert counts.total() == 782


def test_options_are_those_of_entries() -> None:
    names = {row.path.partition(f"/{ENTRY}/")[2] for row in rows() if row.sort is Sort.OPTION}
    assert {option.partition("/")[2] for option in OPTIONS} <= names


@cache
def _functions(file: str) -> frozenset[str]:
    tree = ast.parse((HERE / file).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(
    "test", sorted({each for tests in (*TESTS.values(), *OPTIONS.values(), *PREPROCESSOR.values()) for each in tests})
)
def test_the_tests_exist(test: str) -> None:
    file, _, function = test.partition("::")
    assert function in _functions(file)
