"""Starting with a store that cannot be used: a clear error, or the damaged file set aside and a new one begun."""

import os
import shutil
import subprocess
import tempfile

import pytest

from broker import TIME_FACTOR
from mqtt_packets import PUBACK
from mqtt_wire import NothingCame, WireClient
from store_broker import DidNotStart

PAGE = 4096


def _fill(port, count=50):
    """A session with a queue, and a retained message."""
    client = WireClient(port)
    client.connect("keeper", clean=False, props={"session_expiry": 1000})
    client.subscribe("t", qos=1)
    client.disconnect()
    publisher = WireClient(port)
    publisher.connect("publisher")
    publisher.publish("r", b"kept", qos=1, retain=True)
    for number in range(count):
        publisher.publish("t", bytes(1000) + str(number).encode(), qos=1)
    publisher.disconnect()


def _present(port):
    client = WireClient(port)
    present = client.connect("keeper", clean=False, props={"session_expiry": 1000}).session_present
    client.socket.close()
    return present


def _refusal(broker, path, *settings) -> str:
    """What a broker says that does not start with this path."""
    failed = broker(*settings, path=path, run=False)
    with pytest.raises(DidNotStart):
        failed.start()
    assert failed.wait() == 1
    assert str(path) in failed.log(), f"it does not name the file:\n{failed.log()}"
    return failed.log()


def _overwrite(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def _ruin_header(path):
    _overwrite(path, 0, b"ruined" * 20)


def _ruin_pages(path):
    _overwrite(path, PAGE, b"\xa5" * (path.stat().st_size - PAGE))


def _cut(path):
    os.truncate(path, path.stat().st_size // 2 // PAGE * PAGE)


DAMAGES = {each.__name__.strip("_"): each for each in (_ruin_header, _ruin_pages, _cut)}


@pytest.fixture(params=DAMAGES)
def damaged(request, broker, tmp_path):
    """A store with a session in it, and then the damage."""
    good = broker()
    _fill(good.port)
    assert good.stop() == 0
    path = tmp_path / "store" / "comqtt.db"
    assert path.stat().st_size > 8 * PAGE, "everything is in the file after a stop"
    DAMAGES[request.param](path)
    return path


def test_a_file_that_is_there_is_used(broker):
    own = broker()
    assert not _present(own.port)
    _fill(own.port)
    assert own.stop() == 0
    own.start()
    assert _present(own.port)
    assert not own.bad_files()


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(broker, damaged):
    content = damaged.read_bytes()
    own = broker(path=damaged)
    bad = own.bad_files()
    assert [each.read_bytes() for each in bad if not each.name.endswith(("-wal", "-shm"))] == [content], bad
    assert bad[0].name in own.log(), f"it does not say where the old file is:\n{own.log()}"
    assert not _present(own.port)
    _fill(own.port)
    assert own.stop() == 0
    own.start()
    assert _present(own.port) and own.bad_files() == bad


def test_a_damaged_file_stops_the_start_if_that_is_wanted(broker, damaged):
    content = damaged.read_bytes()
    _refusal(broker, damaged, "storage.on-damage=stop")
    assert damaged.read_bytes() == content
    assert not list(damaged.parent.glob("*.bad-*"))


def test_a_file_that_was_never_a_store_is_an_error_and_stays_as_it_is(broker, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("This is a shopping list and no database.\n" * 300)
    content = path.read_bytes()
    _refusal(broker, path)
    assert path.read_bytes() == content and list(tmp_path.glob("list*")) == [path]


def test_a_folder_that_is_not_there_is_an_error(broker, tmp_path):
    _refusal(broker, tmp_path / "nowhere" / "comqtt.db")


def test_a_folder_in_place_of_a_file_is_an_error(broker, tmp_path):
    (tmp_path / "folder.db").mkdir()
    _refusal(broker, tmp_path / "folder.db")
    assert (tmp_path / "folder.db").is_dir(), "a folder is not a damaged file"


def test_a_file_that_another_broker_uses_is_an_error(broker):
    own = broker()
    _fill(own.port)
    _refusal(broker, own.path)
    assert not own.bad_files(), "a file in use is not damaged"
    assert _present(own.port)


@pytest.fixture
def read_only(tmp_path):
    """read_only(folder): nothing can be written there from now on. Root needs a mount for that."""
    mounted = []

    def make(folder):
        if os.getuid():
            for each in (*folder.iterdir(), folder):
                each.chmod(each.stat().st_mode & ~0o222)
        else:
            subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
            mounted.append(folder)
            subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)

    yield make
    for each in mounted:
        subprocess.run(["umount", "-l", str(each)], check=True)
    subprocess.run(["chmod", "-R", "u+w", str(tmp_path)], check=True)


def _can_mount() -> bool:
    """Asked when the tests are collected: what cannot be tried here is left out."""
    if os.getuid():
        return False
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True).returncode == 0
        return done and subprocess.run(["umount", folder], capture_output=True).returncode == 0


if os.getuid() or _can_mount():

    def test_a_folder_that_cannot_be_written_is_an_error(broker, tmp_path, read_only):
        folder = tmp_path / "fixed"
        folder.mkdir()
        read_only(folder)
        _refusal(broker, folder / "comqtt.db")

    def test_a_file_that_cannot_be_written_is_an_error_and_not_set_aside(broker, tmp_path, read_only):
        folder = tmp_path / "fixed"
        folder.mkdir()
        own = broker(path=folder / "comqtt.db")
        _fill(own.port)
        assert own.stop() == 0
        read_only(folder)
        _refusal(broker, own.path)
        assert not own.bad_files()


if _can_mount():

    @pytest.fixture
    def small_disk(tmp_path):
        """A real file system of 4 MiB."""
        folder = tmp_path / "small"
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True)
        yield folder
        subprocess.run(["umount", "-l", str(folder)], check=True)

    def test_a_full_file_system_means_refusals_until_there_is_room_again(broker, small_disk):
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(2 << 20))
        own = broker("storage.retry-ms=100", path=small_disk / "comqtt.db")
        _fill(own.port, 10)
        client = WireClient(own.port)
        client.connect("filler")
        stored = 0
        try:
            while stored < 100:
                packet_id = client.send_publish("t", f"{stored}|".encode() + bytes(50_000), qos=1)
                assert client.wait_for(PUBACK, packet_id, timeout=2 * TIME_FACTOR).reason == 0
                stored += 1
        except NothingCame:
            pass  # this one waits
        assert 10 < stored < 60 and shutil.disk_usage(small_disk).free < 200_000, stored
        other = WireClient(own.port)
        other.connect("other")
        refusal = other.publish("t", b"refused|" + bytes(50_000), qos=1)
        assert refusal.reason == 0x97 and refusal.properties.get("reason_string"), refusal
        ballast.unlink()
        assert client.wait_for(PUBACK, packet_id).reason == 0
        assert other.publish("t", b"again|", qos=1).reason == 0
        own.kill()
        own.start()
        keeper = WireClient(own.port)
        keeper.connect("keeper", clean=False, props={"session_expiry": 1000})
        came = [keeper.message("t").payload.split(b"|")[0] for _ in range(10 + stored + 2)][10:]
        assert came == [*(str(n).encode() for n in range(stored + 1)), b"again"]
