"""The names and numbers of Python are those of comqtt.h; the stub knows every name of the module."""

import ast
import re
from pathlib import Path

import pytest

import comqtt
from comqtt import Answer, ChangeKind, PacketType, Reason, State, Status, StoredState, hooks
from comqtt._backend import _comqtt

ROOT = Path(__file__).resolve().parents[2]
HEADERS = ROOT / "include" / "comqtt"
MISSING_EVENTS = {"stored_sys_info"}


def enumeration(header: str, after: str, prefix: str) -> dict[str, int]:
    text = (HEADERS / header).read_text()
    text = text[text.index(after):]
    body = text[text.index("enum {"):text.index("};")]
    return {name: int(value, 0) for name, value in re.findall(rf"COMQTT_{prefix}(\w+)\s*=\s*(-?\w+)", body)}


@pytest.mark.parametrize("header, after, prefix, enum", [
    ("base.h", "typedef uint8_t comqtt_reason", "REASON_", Reason),
    ("base.h", "typedef int32_t comqtt_status", "(?:ERR_)?", Status),
    ("packet.h", "typedef uint8_t comqtt_packet_kind", "", PacketType),
    ("server.h", "typedef int32_t comqtt_state", "STATE_", State),
    ("storage.h", "typedef int32_t comqtt_change_kind", "CHANGE_", ChangeKind),
    ("storage.h", "typedef int32_t comqtt_stored_state", "STORED_", StoredState),
])
def test_constants_are_those_of_the_header(header, after, prefix, enum):
    assert {name: member.value for name, member in enum.__members__.items()} == enumeration(header, after, prefix)


def test_answers_are_those_of_the_module():
    assert {answer.name: answer.value for answer in Answer} == _comqtt.ANSWERS


def test_hook_events_are_the_slots_of_the_header():
    text = (HEADERS / "hooks.h").read_text()
    slots = set(re.findall(r"\(\*\s*((?:on|stored|store|load)_\w+)\)\s*\(void\s*\*\s*user,\s*comqtt_event\b", text))
    assert set(comqtt.HOOK_EVENTS) == slots - MISSING_EVENTS


def test_the_manual_of_hooks_names_every_event():
    assert all(re.search(rf"\b{name}\b", hooks.__doc__) for name in comqtt.HOOK_EVENTS)


def test_the_stub_knows_every_name_of_the_module():
    tree = ast.parse((ROOT / "python/comqtt/_comqtt.pyi").read_text())
    known = {node.name for node in ast.walk(tree) if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    known |= {node.target.id for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)}
    names = {name for name in vars(_comqtt) if not name.startswith("_")}
    for value in vars(_comqtt).values():
        if isinstance(value, type):
            names |= {name for name in vars(value) if not name.startswith("_")}
    assert names <= known


def test_everything_that_is_announced_is_there():
    assert all(hasattr(comqtt, name) for name in comqtt.__all__)


def test_topics_are_matched_as_the_broker_does():
    assert comqtt.topic_matches("a/+/c", "a/b/c")
    assert not comqtt.topic_matches("#", "$SYS/x")
    assert comqtt.topic_name_is_valid("a/b") and not comqtt.topic_name_is_valid("a/#")
    assert comqtt.topic_filter_is_valid("$share/g/#") and not comqtt.topic_filter_is_valid("a#")
    assert comqtt.reason_text(0x87) == "Not authorized"
