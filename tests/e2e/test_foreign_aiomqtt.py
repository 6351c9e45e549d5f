"""aiomqtt as a foreign client."""

import asyncio

import aiomqtt
import pytest

VERSIONS = (aiomqtt.ProtocolVersion.V31, aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5)


def _run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


async def _take(client, count):
    found = []
    async for message in client.messages:
        found.append(message)
        if len(found) == count:
            return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", (0, 1, 2))
def test_aiomqtt_publishes_and_receives(mqtt, unique, version, qos):
    """[MQTT-3.3.4-1] [MQTT-3.8.4-8]"""
    topic = unique("t")

    async def scenario():
        async with aiomqtt.Client("127.0.0.1", mqtt.port, identifier=unique("aio"), protocol=version) as client:
            await client.subscribe(topic + "/+", qos=qos)
            for i in range(10):
                await client.publish(f"{topic}/{i}", b"%d" % i, qos=qos)
            return await _take(client, 10)

    assert [(m.payload, m.qos) for m in _run(scenario())] == [(b"%d" % i, qos) for i in range(10)]


def test_aiomqtt_clients_run_side_by_side(mqtt, unique):
    """[MQTT-4.6.0-5]"""
    topic = unique("t")

    async def receiver(ready, i):
        async with aiomqtt.Client("127.0.0.1", mqtt.port, identifier=unique("aio")) as client:
            await client.subscribe(topic, qos=i % 3)
            ready.release()
            return [int(m.payload) for m in await _take(client, 100)]

    async def scenario():
        ready = asyncio.Semaphore(0)
        tasks = [asyncio.create_task(receiver(ready, i)) for i in range(10)]
        for _ in tasks:
            await ready.acquire()
        async with aiomqtt.Client("127.0.0.1", mqtt.port, identifier=unique("aio")) as sender:
            for i in range(100):
                await sender.publish(topic, b"%d" % i, qos=1)
        return await asyncio.gather(*tasks)

    assert _run(scenario()) == [list(range(100))] * 10


def test_aiomqtt_leaves_a_will_and_finds_a_retained_message(mqtt, unique):
    """[MQTT-3.1.2-8] [MQTT-3.1.2-15] [MQTT-3.3.1-9]"""
    topic = unique("t")

    name, will = unique("aio"), aiomqtt.Will(topic, b"gone", qos=1, retain=True)

    async def leaver(ready):
        try:
            async with aiomqtt.Client("127.0.0.1", mqtt.port, identifier=name, will=will) as client:
                ready.set()
                await _take(client, 1)
        except aiomqtt.MqttError:
            return "disconnected"

    async def scenario():
        ready = asyncio.Event()
        task = asyncio.create_task(leaver(ready))
        await ready.wait()
        mqtt.connect(name)  # a takeover ends the connection without DISCONNECT from the client
        assert await task == "disconnected"
        async with aiomqtt.Client("127.0.0.1", mqtt.port, identifier=unique("aio")) as watcher:
            await watcher.subscribe(topic, qos=1)
            return await _take(watcher, 1)

    [message] = _run(scenario())
    assert message.payload == b"gone"
