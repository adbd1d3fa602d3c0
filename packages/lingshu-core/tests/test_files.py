"""Files are whole or not there, folders belong to one process, and paths stay inside."""

import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.files import (
    claim_folder,
    empty_folder,
    fresh_folder,
    link_or_copy,
    partial_folder,
    remove_folder,
    resolve_inside,
    write_atomic,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a" / "b.txt"
    write_atomic(path, "one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two" and names(path.parent) == ["b.txt"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "b.txt"
    write_atomic(path, "one")

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError):
        write_atomic(path, "two")
    assert path.read_text() == "one" and names(tmp_path) == ["b.txt"]


def test_a_folder_appears_at_the_end(tmp_path):
    out = tmp_path / "deep" / "out"
    with fresh_folder(out) as folder:
        (folder / "a").write_text("a")
        assert not out.exists()
    assert (out / "a").read_text() == "a" and names(out.parent) == ["out"]


def test_a_folder_vanishes_with_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), fresh_folder(tmp_path / "out") as folder:
        (folder / "a").write_text(str(1 / 0))
    assert names(tmp_path) == []


def test_what_a_kill_left_is_removed_first(tmp_path):
    left = partial_folder(tmp_path / "out")
    (left / "sub").mkdir(parents=True)
    (left / "sub" / "a").write_text("old")
    (left / "link").symlink_to(tmp_path)
    with fresh_folder(tmp_path / "out") as folder:
        assert names(folder) == []
    assert tmp_path.exists()


def test_one_process_alone(tmp_path):
    with claim_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("mine")
        for writing in (claim_folder, fresh_folder):
            with pytest.raises(SettingsError, match="another process"), writing(tmp_path / "out"):
                pass
        assert (folder / "a").read_text() == "mine"


def test_the_claim_of_a_killed_process_ends_with_it(tmp_path):
    child = os.fork()
    if child == 0:
        with claim_folder(tmp_path / "out"):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    with claim_folder(tmp_path / "out") as folder:
        folder.rename(tmp_path / "out")
    with pytest.raises(SettingsError, match="exists already"):
        (tmp_path / "out" / "a").write_text("a")
        with claim_folder(tmp_path / "out"):
            pass


def test_a_folder_that_was_finished_meanwhile_is_not_claimed(tmp_path, monkeypatch):
    out, real = tmp_path / "out", os.open

    def finish_first(path, flags):
        lock = real(path, flags)
        monkeypatch.setattr(os, "open", real)
        (path / "a").write_text("theirs")
        path.rename(out)
        return lock

    monkeypatch.setattr(os, "open", finish_first)
    with pytest.raises(SettingsError, match="exists already"), claim_folder(out):
        pass
    assert (out / "a").read_text() == "theirs"


def test_emptying_follows_no_link(tmp_path):
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "a").write_text("a")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "keep")
    empty_folder(tmp_path / "folder")
    assert names(tmp_path / "folder") == [] and (tmp_path / "keep" / "a").exists()


def test_what_is_removed_is_unfinished_first(tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    for name in ("manifest.json", "sub/lingshu.json", "sub/a"):
        (folder / name).write_text("a")

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("shutil.rmtree", killed)
        remove_folder(folder)
    assert names(folder) == ["sub"] and names(folder / "sub") == ["a"]
    remove_folder(folder)
    assert names(tmp_path) == []


def test_linking(tmp_path, monkeypatch):
    source = tmp_path / "a"
    source.write_text("a")
    link_or_copy(source, tmp_path / "x" / "b")
    assert source.samefile(tmp_path / "x" / "b")
    link_or_copy(source, tmp_path / "x" / "b")

    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    link_or_copy(source, tmp_path / "x" / "c")
    assert (tmp_path / "x" / "c").read_text() == "a"
    assert not source.samefile(tmp_path / "x" / "c")
    assert names(tmp_path / "x") == ["b", "c"]


@pytest.mark.parametrize("path", ["/etc/passwd", "../a", "a/../../b", "a\\b", "..", "out", "to/a"])
def test_paths_that_leave(tmp_path, path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_text("a")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "to").symlink_to(tmp_path)
    with pytest.raises(DataError, match="leaves its folder"):
        resolve_inside(root, path)


def test_paths_that_stay(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert resolve_inside(tmp_path / "link", "b..c/d") == (tmp_path / "a" / "b..c" / "d").resolve()
    assert resolve_inside(tmp_path, "link/b") == (tmp_path / "a" / "b").resolve()


@given(st.lists(st.sampled_from(["..", ".", "a", "", "link", "b"]), max_size=6).map("/".join))
def test_whatever_is_asked_for_stays_inside(tmp_path_factory, path):
    root = tmp_path_factory.getbasetemp() / "inside"
    if not root.exists():
        root.mkdir()
        (root / "link").symlink_to("..")
    try:
        found = resolve_inside(root, path)
    except DataError:
        return
    assert found.is_relative_to(root.resolve())
