"""Scripts: whether the command exists, its user may run it, and nobody else could change it."""

import re

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.kinds import Problem
from pykeepalived.config.raw import CommandGiven, Given, Raw
from pykeepalived.config.surroundings import Account, PathElement, ScriptPath
from pykeepalived.records import record

_opens_a_file = re.compile(r"<[ \t]*/").match
DEFAULT_USER = "keepalived_script"


@record(frozen=True, slots=True)
class _Wrong:
    """What is wrong with a command."""

    message: str
    hint: str
    counts: bool = True
    """For keywords where keepalived counts it."""


class _Complaint:
    """What is wrong with some commands, said once for all of them."""

    __slots__ = ("concerns", "counts", "given", "wrong")

    def __init__(self, wrong: _Wrong, given: Given) -> None:
        self.wrong = wrong
        self.given = given
        self.counts = False
        self.concerns: dict[str, None] = {}
        """Keywords of servers; empty of what stands elsewhere: there the place says it."""

    @property
    def hint(self) -> str:
        """Whom it concerns, and the remedy."""
        if not self.concerns:
            return self.wrong.hint
        first, more = next(iter(self.concerns)), len(self.concerns) - 1
        whom = f"{first}, and {more} more" if more else first
        return f"{whom}: {self.wrong.hint}"


class Scripts:
    """Resolves the commands of a configuration."""

    def __init__(self, context: Context, global_defs: Raw | None) -> None:
        self._context = context
        self._security = False
        self._symlinks = False
        self._supplementary = False
        self._user: Given | None = None
        if global_defs is not None:
            self._security = bool(global_defs.value("enable_script_security"))
            self._symlinks = bool(global_defs.value("use_symlink_paths"))
            self._supplementary = bool(global_defs.value("set_supplementary_groups"))
            self._user = global_defs.given.get("script_user")
        self._default: Account | None = None
        self._default_known = False
        self._looked_up: dict[tuple[str, int, int], tuple[str | None, _Wrong | None]] = {}
        self._complaints: dict[tuple[str, int, int] | None, _Complaint] = {}
        """By command; None: there is nobody to run them."""
        self.insecure: Given | None = None
        """The first script that root runs without script security."""

    def default_account(self) -> Account | None:
        """The account of scripts that name no user; None when the one configured does not exist."""
        if not self._default_known:
            self._default_known = True
            self._default = self._find_default()
        return self._default

    def script_user(self) -> Account | None:
        """The default account where it is not just our own."""
        if self._user is None and self._context.surroundings.user(DEFAULT_USER) is None:
            return None
        return self.default_account()

    def _find_default(self) -> Account | None:
        context = self._context
        if self._user is not None:
            words = self._user.value
            group = words[1] if len(words) > 1 else None
            return self.account(words[0], group, self._user, 1, supplementary=self._supplementary)
        account = context.surroundings.user(DEFAULT_USER)
        if account is not None:
            return account if self._supplementary else Account(account.name, account.uid, account.gid)
        if self._security:
            return None  # said by the scripts that need it
        ours = context.surroundings.process_account()
        return Account(ours.name, ours.uid, ours.gid)

    def account(
        self, user: str, group: str | None, given: Given, word: int, *, supplementary: bool, counts: bool = True
    ) -> Account | None:
        """The account named, with the group named; None, and said, when there is none."""
        context = self._context
        say = context.error if counts else context.warning
        if group is not None and group.startswith(":"):
            supplementary = True
            group = group[1:] or None
        found = context.surroundings.user(user)
        if found is None:
            hint = f"create it (useradd --system {user}) or name another user"
            say(f"Script user '{user}' does not exist", given.span(word), hint)
            return None
        gid = found.gid
        if group is not None:
            number = context.surroundings.group(group)
            if number is None:
                hint = "create it (groupadd --system) or name another group"
                say(f"Script group '{group}' does not exist", given.span(word + 1), hint)
                return None
            gid = number
        return Account(found.name, found.uid, gid, found.groups if supplementary else ())

    def command(self, given: Given | None, user: Given | None = None, *, counts: bool = False) -> Script | None:
        """The checked command, or None when it cannot be run (and that is said).

        ``counts``: a command that is missing or not safe is a mistake.
        """
        if given is None or given.value is None:
            return None
        self._context.asked += 1
        command: CommandGiven = given.value
        if user is not None:
            words = user.value
            group = words[1] if len(words) > 1 else None
            account = self.account(words[0], group, user, 1, supplementary=self._supplementary)
        elif command.user is not None:
            supplementary = self._supplementary or command.supplementary
            account = self.account(command.user, command.group, given, 2, supplementary=supplementary)
        else:
            account = self.default_account()
            if account is None:
                self._nobody(command.argv[0], given)
        if account is None:
            return None
        if _opens_a_file(command.argv[0]):
            # "</path" asks whether a file can be opened: keepalived leaves it to the shell
            return Script(("/bin/sh", "-c", " ".join(command.argv)), account.uid, account.gid, account.groups)
        path = self._path(command.argv[0], account, given, counts=counts)
        if path is None:
            return None
        return Script((path, *command.argv[1:]), account.uid, account.gid, account.groups)

    def _nobody(self, name: str, given: Given) -> None:
        """There is no default account: the file names one that does not exist, which was said, or none."""
        if self._user is not None:
            hint = f"mend the line script_user {' '.join(self._user.value)}"
            self._complain(None, _Wrong(f"script '{name}' has no user to run as - disabling", hint), given)
            return
        hint = f"create it (useradd --system --no-create-home {DEFAULT_USER}), or name one: script_user USER"
        message = f"Unable to set default user {DEFAULT_USER} for script '{name}' - disabling"
        self._complain(None, _Wrong(message, hint), given, counts=True)

    def _complain(self, key: tuple[str, int, int] | None, wrong: _Wrong, given: Given, *, counts: bool = False) -> None:
        complaint = self._complaints.get(key)
        if complaint is None:
            complaint = self._complaints[key] = _Complaint(wrong, given)
        if whose := self._context.server_words():
            complaint.concerns[f"{given.statement.words[0]} of {whose}"] = None
        if counts and not complaint.counts:
            complaint.counts = True
            complaint.given = given

    def complain(self) -> None:
        """Say what was wrong with commands."""
        for each in self._complaints.values():
            say = self._context.error if each.counts else self._context.warning
            say(each.wrong.message, each.given.span(1), each.hint)

    def idle(self, given: Given | None) -> Script | None:
        """A command that no process is going to run: checked, and no danger."""
        insecure, looked_up = self.insecure, dict(self._looked_up)
        script = self.command(given)
        self.insecure, self._looked_up = insecure, looked_up
        return script

    def _path(self, name: str, account: Account, given: Given, *, counts: bool) -> str | None:
        key = (name, account.uid, account.gid)
        path, wrong = self._looked_up.get(key) or self._look_up(name, account, given)
        self._looked_up[key] = path, wrong
        if wrong is not None:
            self._complain(key, wrong, given, counts=counts and wrong.counts)
        return path

    def _look_up(self, name: str, account: Account, given: Given) -> "tuple[str | None, _Wrong | None]":
        """The path, if it can be run, and what is wrong with it."""
        found = self._context.surroundings.script(name)
        if found is None:
            return None, _Wrong(f"Unable to find script '{name}' - disabling", _missing_hint(name))
        if self.insecure is None and account.uid == 0 and not self._security:
            self.insecure = given
        file = found.elements[-1]
        if file.kind != "file" or not _may_execute(file, account):
            message = f"script '{name}' is not executable for uid:gid {account.uid}:{account.gid} - disabling."
            hint = f"chmod a+x {found.path}" if file.kind == "file" else "it is no file"
            return None, _Wrong(message, hint, counts=False)
        path = found.path if not self._symlinks or not name.startswith("/") else name
        weak = _weak_element(found)
        if weak is None or account.uid != 0:
            return path, None
        element, who, remedy = weak
        about = f"{element.path} (owner {element.uid}:{element.gid}, mode {element.mode:04o}) can be changed by {who}"
        message = f"Unsafe permissions found for script '{name}'"
        if self._security:
            return None, _Wrong(f"{message} - disabling.", f"{about}: {remedy}")
        return path, _Wrong(message, f"{about}: {remedy}", counts=False)

    def violation(self, *, counts: bool) -> None:
        """Root runs scripts without script security: said once."""
        if self.insecure is None:
            return
        self._context.warning(
            "SECURITY VIOLATION - scripts are being executed but script_security not enabled.",
            self.insecure.span(1),
            "add enable_script_security to global_defs, or name another user with script_user",
            Problem.SECURITY_ERROR if counts else None,
        )
        self.insecure = None


def _may_execute(file: PathElement, account: Account) -> bool:
    if account.uid == 0:
        return bool(file.mode & 0o111)
    if account.uid == file.uid:
        return bool(file.mode & 0o100)
    if file.gid == account.gid or file.gid in account.groups:
        return bool(file.mode & 0o010)
    return bool(file.mode & 0o001)


def _weak_element(found: ScriptPath) -> tuple[PathElement, str, str] | None:
    """The first element of the path that somebody but root could change: who, and the command that mends it."""
    for element in found.elements:
        if element.kind == "link":
            continue
        if element.uid != 0:
            return element, f"its owner, user {element.uid}", f"chown root {element.path}"
        if element.mode & 0o1000 and element.kind == "directory":
            continue  # sticky: others cannot replace what is not theirs
        if element.mode & 0o002:
            return element, "everybody", f"chmod o-w {element.path}"
        if element.mode & 0o020 and element.gid != 0:
            return element, f"group {element.gid}", f"chmod g-w {element.path}"
    return None


def _missing_hint(name: str) -> str:
    if "/" in name:
        return "check the path; arguments belong in the same quotes, behind the path"
    builtins = ("[", "if", "test", "for", "while", "exit", "cd", "</dev/tcp")
    near = nearest(name, builtins)
    if near is not None or name.startswith(("<", ">", "[")):
        return f"there is no shell here: write /bin/sh -c '{name} ...' inside the quotes"
    return "it is not in PATH; write the whole path"
