"""Sizes around every boundary of the code: each at every QoS, from several in one moment, to each kind of receiver."""

import pytest

import mqtt_packets as mp

KIB = 1024
# Small ones; the direct write (8 KiB), shared payloads (16 KiB), the output's chunk (64 KiB), the read buffer (256 KiB).
PAYLOADS = (0, 1, 2, 19, 20, 21, 4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB, 128 * KIB, 192 * KIB, 256 * KIB,
            320 * KIB, 512 * KIB)
LENGTHS = (127, 16_383, 2_097_151)  # Remaining Length; one more and it needs another digit
PACKETS = (4 * KIB, 8 * KIB, 16 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB)
LARGE = (1 << 20, 2_500_000, 5_000_000)


def _receivers(crowd, *filters):
    made = [crowd.peer(5, persistent=True), crowd.peer(4), crowd.peer(5), crowd.peer(4)]
    for peer, qos in zip(made, (2, 1, 0, 2)):
        crowd.subscribe(peer, *filters, qos=qos)
    return made


def _each_qos_in_one_moment(crowd, publishers, name, size):
    """size(topic, qos, version): of the payload."""
    for n, each in enumerate(publishers):
        for qos in (n % 3, (n + 1) % 3, (n + 2) % 3):
            topic = crowd.topic("b", name, n, qos)
            each.publish(topic, size(topic, qos, each.version), qos)
    crowd.at_once()
    crowd.settle(f"all messages of {name}")


def _lossless(crowd, receivers):
    """Nobody of them is ever away, so QoS 0 counts too."""
    for each in receivers:
        each.receiving.lossy = False


@pytest.mark.parametrize("near", (-1, 0, 1))
def test_payloads_of_sizes_near_a_boundary_arrive_unchanged(crowd, near):
    _lossless(crowd, _receivers(crowd, crowd.topic("b", "#")))
    publishers = crowd.several(4)
    for size in PAYLOADS:
        if size + near >= 0:
            _each_qos_in_one_moment(crowd, publishers, size, lambda topic, qos, version: size + near)


@pytest.mark.parametrize("near", (-1, 0, 1))
def test_packets_whose_length_is_near_a_boundary_arrive_unchanged(crowd, near):
    """A packet of exactly a buffer's size, and a Remaining Length that needs one digit more."""
    _lossless(crowd, _receivers(crowd, crowd.topic("b", "#")))
    publishers = crowd.several(4)

    def empty(topic, qos, version):
        return len(mp.publish(topic, b"", qos, packet_id=1 if qos else None, version=version)) - 2

    for length in LENGTHS:
        _each_qos_in_one_moment(crowd, publishers, f"l{length}", lambda *form: length - empty(*form) + near)
    for packet in PACKETS:  # a fixed header of 3 bytes, of 4 from 16 KiB on
        header = 3 if packet + near < 16 * KIB else 4
        _each_qos_in_one_moment(crowd, publishers, f"p{packet}", lambda *form: packet - header - empty(*form) + near)


def test_payloads_of_megabytes_arrive_unchanged(crowd):
    _lossless(crowd, _receivers(crowd, crowd.topic("b", "#")))
    publishers = crowd.several(2)
    for size in LARGE:
        _each_qos_in_one_moment(crowd, publishers, size, lambda topic, qos, version: size)


def test_all_sizes_one_behind_the_other_on_each_connection_arrive_unchanged(crowd, rng):
    """So that packets begin and end at all places of the read buffer."""
    _lossless(crowd, _receivers(crowd, crowd.topic("b", "#")))
    publishers = crowd.several(6)
    sizes = [size + near for size in PAYLOADS if size >= 20 for near in (0, 1)] * 2
    for n, each in enumerate(publishers):
        rng.shuffle(sizes)
        for size in sizes:
            each.publish(crowd.topic("b", n), size, rng.randrange(3))
    crowd.settle()
