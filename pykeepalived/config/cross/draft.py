"""An instance on its way from the words of the file to a value: what is known of it so far, and where to complain."""

from typing import Any

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.cross.context import Context
from pykeepalived.config.kinds import AF_INET, AF_INET6, IP
from pykeepalived.config.raw import Given, Raw


class Refusal(Exception):  # noqa: N818 - the instance cannot be used
    """There is no such instance; why was said."""


class Draft:
    """The instance, keyword by keyword."""

    def __init__(self, raw: Raw, context: Context, global_defs: GlobalDefs, *, strict: bool) -> None:
        self.raw = raw
        self.context = context
        self.global_defs = global_defs
        self.strict = strict
        self.values: dict[str, Any] = {"name": raw.name, "strict_mode": strict}
        self.interface = ""
        self.family = AF_INET
        self.version = 2

    @property
    def name(self) -> str:
        """The instance's name."""
        return self.raw.name

    @property
    def family_word(self) -> str:
        """IPv4 or IPv6."""
        return "IPv6" if self.family == AF_INET6 else "IPv4"

    def given(self, keyword: str) -> Given | None:
        """What the file says, or None."""
        return self.raw.given.get(keyword)

    def said(self, keyword: str) -> bool:
        """Whether the keyword is there at all, also with a value that cannot be used."""
        return keyword in self.raw.given or keyword in self.raw.said

    def value(self, keyword: str) -> Any:
        """What the file says, else what global_defs says, else the keyword's default."""
        given = self.raw.given.get(keyword)
        if given is not None:
            return given.value
        spec = self.raw.table.keywords[keyword]
        return getattr(self.global_defs, spec.inherit, spec.default) if spec.inherit else spec.default

    def error(
        self, message: str, keyword: str | None, hint: str | None = None, word: int | None = None, **more: Any
    ) -> None:
        """A mistake that counts, at a keyword of the instance or at its head."""
        span = self.raw.span(keyword, word) if keyword else self.raw.span(word=1)
        self.context.error(f"({self.name}) {message}", span, hint, **more)

    def fits(self, address: IP, keyword: str) -> bool:
        """Whether an address is of the instance's family; one that is not is said."""
        if (AF_INET6 if address.version == 6 else AF_INET) == self.family:
            return True
        hint = "VRRP keeps the families apart: use one instance for each"
        self.error(f"{address} is not {self.family_word} as the rest of the instance - ignored", keyword, hint)
        return False
