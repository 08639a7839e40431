"""Scripts and FIFO lines of VRRP events: which, with what, in which order."""

import pytest

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.effects import RunScript, WriteFifo
from pykeepalived.notify.vrrp import group_orders, instance_orders
from pykeepalived.vrrp.effects import Word
from tests.support.scenario import make_configuration, make_instance

WORDS = {
    "notify_master": Word.MASTER,
    "notify_backup": Word.BACKUP,
    "notify_fault": Word.FAULT,
    "notify_stop": Word.STOP,
    "notify_deleted": Word.DELETED,
}
INSTANCE = make_instance(
    "VI 1", notify="/any", notify_master_rx_lower_pri="/lower", **{keyword: f"/{keyword}" for keyword in WORDS}
)


@pytest.mark.parametrize(("keyword", "word"), WORDS.items())
def test_an_instance_runs_its_script_then_notify_then_writes(keyword: str, word: Word) -> None:
    assert instance_orders(INSTANCE, word, 150) == [
        RunScript(Script((f"/{keyword}",))),
        RunScript(Script(("/any",)), ("INSTANCE", "VI 1", str(word), "150")),
        WriteFifo(f'INSTANCE "VI 1" {word} 150'),
    ]


@pytest.mark.parametrize("word", [Word.MASTER_PRIORITY, Word.BACKUP_PRIORITY])
def test_a_priority_is_written_and_runs_no_script(word: Word) -> None:
    assert instance_orders(INSTANCE, word, 7) == [WriteFifo(f'INSTANCE "VI 1" {word} 7')]


def test_a_lower_master_is_no_state_and_runs_its_own_script_alone() -> None:
    assert instance_orders(INSTANCE, Word.MASTER_RX_LOWER_PRI, 7) == [
        RunScript(Script(("/lower",))),
        WriteFifo('INSTANCE "VI 1" MASTER_RX_LOWER_PRI 7'),
    ]


def test_without_scripts_there_is_the_line_alone() -> None:
    assert instance_orders(make_instance("VI_1"), Word.MASTER, 100) == [WriteFifo('INSTANCE "VI_1" MASTER 100')]


def test_a_group() -> None:
    configuration = make_configuration("instance A", "group G group=A notify=/any notify_fault=/fault")
    (group,) = configuration.vrrp_sync_group
    assert group_orders(group, Word.FAULT) == [
        RunScript(Script(("/fault",))),
        RunScript(Script(("/any",)), ("GROUP", "G", "FAULT", "0")),
        WriteFifo('GROUP "G" FAULT 0'),
    ]
    assert group_orders(group, Word.MASTER)[0] == RunScript(Script(("/any",)), ("GROUP", "G", "MASTER", "0"))
