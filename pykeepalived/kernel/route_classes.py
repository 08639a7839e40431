"""pyroute2's message classes of addresses, links, routes and rules, which bring more with them than all the others."""

from typing import Any

from pykeepalived.kernel.message_classes import import_without_package

_ifaddrmsg, _ifinfmsg, _rtmsg, _fibmsg = import_without_package(
    *(f"netlink.rtnl.{name}" for name in ("ifaddrmsg", "ifinfmsg", "rtmsg", "fibmsg"))
)

ifaddrmsg: Any = _ifaddrmsg.ifaddrmsg
ifinfmsg: Any = _ifinfmsg.ifinfmsg
rtmsg: Any = _rtmsg.rtmsg
fibmsg: Any = _fibmsg.fibmsg
