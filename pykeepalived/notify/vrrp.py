"""Which scripts a VRRP event starts, and which line the FIFOs get: the state's own script, ``notify``, the line."""

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.effects import RunScript, WriteFifo
from pykeepalived.vrrp.effects import Word

_FOR_FIFOS = frozenset({Word.MASTER_RX_LOWER_PRI, Word.MASTER_PRIORITY, Word.BACKUP_PRIORITY})
"""No states: ``notify`` is not called for them."""


def instance_orders(instance: VrrpInstance, word: Word, priority: int) -> list[RunScript | WriteFifo]:
    """What an instance's event orders, in keepalived's order."""
    general = None if word in _FOR_FIFOS else instance.notify
    return _orders("INSTANCE", instance.name, word, priority, _script_of_instance(instance, word), general)


def group_orders(group: VrrpSyncGroup, word: Word) -> list[RunScript | WriteFifo]:
    """What a sync group's event orders."""
    scripts = {
        Word.MASTER: group.notify_master,
        Word.BACKUP: group.notify_backup,
        Word.FAULT: group.notify_fault,
        Word.STOP: group.notify_stop,
    }
    return _orders("GROUP", group.name, word, 0, scripts.get(word), group.notify)


def fifo_line(kind: str, name: str, word: Word, priority: int) -> str:
    """``INSTANCE "VI_1" MASTER 150``."""
    return f'{kind} "{name}" {word} {priority}'


def _script_of_instance(instance: VrrpInstance, word: Word) -> Script | None:
    match word:
        case Word.MASTER:
            return instance.notify_master
        case Word.BACKUP:
            return instance.notify_backup
        case Word.FAULT:
            return instance.notify_fault
        case Word.STOP:
            return instance.notify_stop
        case Word.DELETED:
            return instance.notify_deleted
        case Word.MASTER_RX_LOWER_PRI:
            return instance.notify_master_rx_lower_pri
        case Word.MASTER_PRIORITY | Word.BACKUP_PRIORITY:
            return None


def _orders(
    kind: str, name: str, word: Word, priority: int, own: Script | None, general: Script | None
) -> list[RunScript | WriteFifo]:
    orders: list[RunScript | WriteFifo] = []
    if own is not None:
        orders.append(RunScript(own))
    if general is not None:
        orders.append(RunScript(general, (kind, name, str(word), str(priority))))
    orders.append(WriteFifo(fifo_line(kind, name, word, priority)))
    return orders
