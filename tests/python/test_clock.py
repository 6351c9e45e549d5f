"""A clock that is moved by hand."""

import pytest
from peer import Peer

from comqtt import Error, PacketType, Reason, Status, packets


def test_time_stands_still_until_it_is_moved(manual):
    before = manual.now_ms
    manual.advance(86_400_000)
    assert manual.now_ms == before + 86_400_000


def test_a_server_with_a_clock_of_its_own_cannot_be_advanced(server):
    with pytest.raises(Error) as caught:
        server.advance(1)
    assert caught.value.status == Status.STATE


def test_a_silent_client_is_disconnected_after_its_keep_alive(manual):
    peer = Peer.connected(manual, "silent", keep_alive=10)
    manual.advance(14_000)
    assert peer.is_quiet()
    manual.advance(16_000)
    assert peer.expect(PacketType.DISCONNECT).reason == Reason.KEEP_ALIVE_TIMEOUT


def test_a_session_ends_with_its_expiry_interval(manual):
    def resume() -> bool:
        peer = Peer(manual)
        answer = peer.connect("keeper", clean_start=False, properties={"session_expiry_interval": 60})
        peer.send(packets.disconnect())
        assert peer.receive() is None
        return answer.session_present

    assert not resume()
    manual.advance(58_000)
    assert resume()
    manual.advance(62_000)
    assert not resume()


def test_a_delayed_will_waits(manual):
    watcher = Peer.connected(manual, "watcher")
    watcher.subscribe("will")
    Peer.connected(manual, "x", will=("will", b"gone", 0, False), will_properties={"will_delay_interval": 30},
                   properties={"session_expiry_interval": 100}).vanish()
    manual.advance(25_000)
    assert watcher.is_quiet()
    manual.advance(10_000)
    assert watcher.expect(PacketType.PUBLISH).payload == b"gone"


def test_an_hour_passes_in_no_time_with_a_hook_that_watches(manual):
    ticks = []
    manual.add_hook(on_client_expired=lambda event, client: ticks.append(client.id))
    peer = Peer.connected(manual, "short", properties={"session_expiry_interval": 1800})
    peer.send(packets.disconnect())
    assert peer.receive() is None
    manual.advance(3_600_000)
    assert ticks == ["short"]
