"""Lines of linkbeat_interfaces and interface_up_down_delays as values."""

from collections.abc import Sequence
from dataclasses import replace

from pykeepalived.config.blocks.interfaces import DELAY, METHODS, InterfaceUpDownDelay, LinkbeatInterface, Method
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.cross.context import Context
from pykeepalived.config.kinds import NOTHING, Problem, Refused
from pykeepalived.config.raw import Given, Raw
from pykeepalived.units import MICROSECOND, SECOND


def linkbeat_interfaces(root: Raw, context: Context) -> tuple[LinkbeatInterface, ...]:
    """Each interface once; a later line says how it is watched."""
    found = {}
    for line in _lines(root, "linkbeat_interfaces", "linkbeat interface", context):
        name, *words = line.value
        method = _method(words, line, context)
        found[name] = LinkbeatInterface(name, method)
    return tuple(found.values())


def interface_up_down_delays(root: Raw, context: Context) -> tuple[InterfaceUpDownDelay, ...]:
    """Each interface once; a later line replaces the delays."""
    found = {}
    for line in _lines(root, "interface_up_down_delays", "up/down delay", context):
        name, *words = line.value
        delays = [_delay(word, at, line, context) for at, word in enumerate(words[:2], 1)]
        if not words:
            context.warning(f"{name} has no delay", line.span(0), f"write {name} DOWN UP, in seconds")
        elif len(words) == 1:
            hint = f"write {name} {words[0]} {words[0]} for the same delay both ways"
            context.warning(f"{name} has no delay for coming up, which is then 0", line.span(0), hint)
        found[name] = InterfaceUpDownDelay(name, *delays)
    return tuple(found.values())


def cap(
    delays: Sequence[InterfaceUpDownDelay], instances: Sequence[VrrpInstance], root: Raw, context: Context
) -> tuple[InterfaceUpDownDelay, ...]:
    """Delays for going down that end before another router takes over from us: the fastest instance decides."""
    return tuple(_capped(each, instances, root, context) for each in delays)


def _capped(
    delay: InterfaceUpDownDelay, instances: Sequence[VrrpInstance], root: Raw, context: Context
) -> InterfaceUpDownDelay:
    down = delay.down
    for instance in instances:
        adverts = instance.down_timer_adverts - 1
        most = adverts * instance.advert_int
        if instance.interface != delay.name or down < most or not down:
            continue
        down = max(most - instance.advert_int // MICROSECOND // 256 * MICROSECOND, 0)
        message = f"{instance.name}: interface {delay.name} debounce timer(s) not less that {adverts} * advert_int"
        hint = f"write a delay of less than {most / SECOND:g} s, or the others take over meanwhile"
        given = root.given["interface_up_down_delays"].value
        line = next(each for each in reversed(given) if each.value[0] == delay.name)
        context.warning(f"{message} - resetting", line.span(1), hint)
    return replace(delay, down=down)


def _lines(root: Raw, keyword: str, what: str, context: Context) -> list[Given]:
    """The lines whose interface exists."""
    given = root.given.get(keyword)
    lines: Sequence[Given] = given.value if given is not None else ()
    return [line for line in lines if _exists(line, what, context)]


def _exists(line: Given, what: str, context: Context) -> bool:
    name = line.value[0]
    if context.dynamic_interfaces or context.interface(name) is not None:
        return True
    message = f"unknown interface {name} specified for {what}"
    context.error(message, line.span(0), context.interface_hint(name), Problem.FATAL, fatal=True)
    return False


def _method(words: Sequence[str], line: Given, context: Context) -> Method:
    """The way to ask; what else stands there is said and ignored."""
    method: Method = next((each for each in METHODS if words and words[0] == each), "")
    if len(words) > bool(method):
        hint = f"write one of {', '.join(METHODS)} behind the interface, or nothing"
        at = 1 + bool(method)
        context.error(f"extra characters {words[at - 1]} in linkbeat interface", line.span(at), hint)
    return method


def _delay(word: str, at: int, line: Given, context: Context) -> int:
    """A delay in nanoseconds; one that is none is 0."""
    try:
        return DELAY.read((word,))
    except Refused as refused:
        context.error(refused.message, line.span(at), refused.hint, refused.problem or Problem.GENERAL_ERROR)
        return 0 if refused.kept is NOTHING else int(refused.kept)
