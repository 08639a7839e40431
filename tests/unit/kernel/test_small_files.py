"""Small files: reading never waits, writing is never led astray."""

import os
from pathlib import Path

import pytest

from pykeepalived.kernel import small_files
from pykeepalived.kernel.small_files import read_start, write

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as the daemon has")


def test_a_file_is_read_from_its_start(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"5" * 1000)
    assert read_start(str(tmp_path / "f"), 128) == b"5" * 128


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/tty", "fifo", "folder"])
def test_what_is_no_file_is_refused_at_once(path: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"regular|device"):
        read_start(str(tmp_path / path), 128)


def test_the_signature_tells_another_file(tmp_path: Path) -> None:
    file = tmp_path / "f"
    assert small_files.signature(str(file)) == ()
    file.write_text("1")
    first = small_files.signature(str(file))
    assert first == small_files.signature(str(file))
    file.write_text("12")
    assert small_files.signature(str(file)) != first


@ROOT
def test_a_file_is_made_for_root_alone(tmp_path: Path) -> None:
    file = tmp_path / "f"
    assert write(str(file), "7\n", overwrite=False)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("7\n", 0o600)
    assert not write(str(file), "8\n", overwrite=False)
    assert file.read_text() == "7\n"
    assert write(str(file), "8\n", overwrite=True)
    assert file.read_text() == "8\n"


@ROOT
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("there", [False, True], ids=["dangling", "there"])
def test_a_link_that_others_may_have_put_is_not_followed(overwrite: bool, there: bool, tmp_path: Path) -> None:
    target = tmp_path / "shadow"
    if there:
        target.write_text("secret")
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o1777)
    (open_to_all / "f").symlink_to(target)
    (open_to_all / "folder").symlink_to(tmp_path)
    for path in (open_to_all / "f", open_to_all / "folder" / "shadow", open_to_all / ".." / "open" / "f"):
        with pytest.raises(OSError, match="symbolic link"):
            write(str(path), "7\n", overwrite=overwrite)
    assert target.read_text() == "secret" if there else not target.exists()


@ROOT
def test_a_link_in_a_folder_of_root_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/../real")
    (tmp_path / "real" / "f").symlink_to("g")
    assert write(str(tmp_path / "link" / "f"), "7\n", overwrite=False)
    assert (tmp_path / "real" / "g").read_text() == "7\n"


@ROOT
def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="too many"):
        write(str(tmp_path / "a"), "7\n", overwrite=True)


@ROOT
def test_a_file_with_another_name_elsewhere_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root")
    (tmp_path / "f").hardlink_to(tmp_path / "passwd")
    os.mkfifo(tmp_path / "fifo")
    for name in ("f", "fifo"):
        with pytest.raises(OSError, match=r"regular|device"):
            write(str(tmp_path / name), "7\n", overwrite=True)
    assert (tmp_path / "passwd").read_text() == "root"
