"""The checker finds what is wrong: histories that are in order, and the same with one thing changed."""

import pytest

import checker as c
import history as h
from checker import check, report
from history import Event, Message


class Story:
    """A history told step by step; each event a second after the one before."""

    def __init__(self):
        self.events: list[Event] = []

    def tell(self, client, what, message=None, detail=None):
        self.events.append(Event(float(len(self.events)), client, what, message, detail))
        return self

    def subscribed(self, client="s", topic_filter="t/#", qos=2):
        self.tell(client, h.SUBSCRIBING, None, (topic_filter, qos))
        return self.tell(client, h.SUBSCRIBED, None, (topic_filter, qos))

    def unsubscribed(self, client="s", topic_filter="t/#"):
        return self.tell(client, h.UNSUBSCRIBING, None, topic_filter).tell(client, h.UNSUBSCRIBED, None, topic_filter)

    def sent(self, number, qos=2, publisher="p", topic="t/1", retain=False):
        return self.tell(publisher, h.SENT, Message(publisher, topic, number), (qos, retain))

    def acked(self, number, publisher="p", topic="t/1"):
        return self.tell(publisher, h.ACKED, Message(publisher, topic, number))

    def completed(self, number, publisher="p", topic="t/1"):
        return self.tell(publisher, h.COMPLETED, Message(publisher, topic, number))

    def published(self, number, qos=2, **where):
        self.sent(number, qos, **where)
        where.pop("retain", None)
        return self.acked(number, **where).completed(number, **where)

    def got(self, number, qos=2, client="s", publisher="p", topic="t/1", dup=False):
        return self.tell(client, h.GOT, Message(publisher, topic, number), (qos, dup, False, 1))

    def kinds(self):
        return {fault.kind for fault in check(self.events)}


@pytest.fixture
def story():
    return Story()


def test_a_history_in_order_has_no_faults(story):
    story.tell("s", h.CONNECTED, None, False).subscribed()
    for number in (1, 2, 3):
        story.published(number).got(number)
    story.tell(h.BROKER, h.KILLED).tell("s", h.CONNECTED, None, True)
    assert story.kinds() == set()


@pytest.mark.parametrize("qos", (1, 2))
def test_an_acknowledged_message_that_never_came_is_missing(story, qos):
    assert story.subscribed().published(1, qos).published(2, qos).got(1, qos).kinds() == {c.MISSING}


def test_a_message_without_an_acknowledgement_may_be_missing_but_is_unfinished(story):
    assert story.subscribed().sent(1).kinds() == {c.UNFINISHED}


def test_pubrec_counts_as_taken_over_while_pubcomp_has_not_come(story):
    assert story.subscribed().sent(1).acked(1).kinds() == {c.MISSING, c.UNFINISHED}


def test_a_refused_message_is_reported_and_not_expected(story):
    assert story.subscribed().sent(1).tell("p", h.REFUSED, Message("p", "t/1", 1), 0x97).kinds() == {c.REFUSED}


def test_a_qos_2_message_twice_is_a_duplicate(story):
    assert story.subscribed().published(1).got(1).got(1, dup=True).kinds() == {c.DUPLICATE}


@pytest.mark.parametrize("published, granted", ((1, 2), (2, 1), (1, 1)))
def test_a_message_of_lower_qos_may_come_twice(story, published, granted):
    story.subscribed(qos=granted).published(1, published)
    assert story.got(1, 1).got(1, 1, dup=True).kinds() == set()


def test_messages_of_one_publisher_topic_and_qos_keep_their_order(story):
    assert story.subscribed().published(1).published(2).got(2).got(1).kinds() == {c.DISORDER}


def test_only_the_first_delivery_counts_for_the_order(story):
    story.subscribed(qos=1).published(1, 1).published(2, 1)
    assert story.got(1, 1).got(2, 1).got(1, 1).kinds() == set()


def test_other_topics_publishers_and_qos_have_their_own_order(story):
    story.subscribed().published(1).published(2).published(1, topic="t/2").published(1, publisher="q")
    story.published(3, qos=1).got(3, qos=1).got(1, publisher="q").got(1, topic="t/2").got(1).got(2)
    assert story.kinds() == set()


def test_what_nobody_sent_is_invented(story):
    assert story.subscribed().got(7).kinds() == {c.INVENTED}


def test_a_damaged_payload_is_invented(story):
    story.subscribed().tell("s", h.GOT, Message.parse("t/1", b"\x00garbage"), (1, False, False, 1))
    assert story.kinds() == {c.INVENTED}


def test_another_qos_than_granted_is_found(story):
    assert story.subscribed(qos=1).published(1).got(1, qos=2).kinds() == {c.WRONG_QOS}


def test_a_message_before_the_subscription_is_not_asked_for(story):
    assert story.published(1).subscribed().got(1).kinds() == {c.UNASKED}


def test_a_message_after_the_end_of_the_subscription_is_not_asked_for(story):
    assert story.subscribed().unsubscribed().published(1).got(1).kinds() == {c.UNASKED}


def test_a_message_between_unsubscribe_and_its_answer_may_come_or_not(story):
    story.subscribed().tell("s", h.UNSUBSCRIBING, None, "t/#").published(1).published(2)
    assert story.tell("s", h.UNSUBSCRIBED, None, "t/#").got(1).kinds() == set()


def test_a_subscription_that_was_made_again_works_again(story):
    story.subscribed().unsubscribed().subscribed().published(1)
    assert story.kinds() == {c.MISSING}


def test_a_subscription_whose_answer_was_lost_may_work(story):
    story.tell("s", h.SUBSCRIBING, None, ("t/#", 2)).published(1).published(2).got(2).subscribed()
    assert story.kinds() == set()


def test_a_refused_subscription_promises_nothing(story):
    story.tell("s", h.SUBSCRIBING, None, ("t/#", 2)).tell("s", h.SUBSCRIBED, None, ("t/#", 0x97))
    assert story.published(1).kinds() == set()


def test_a_shared_group_gets_each_message_once(story):
    story.subscribed("a", "$share/g/t/#").subscribed("b", "$share/g/t/#").published(1).published(2)
    story.got(2, client="a").got(1, client="b")
    assert story.kinds() == set()
    assert story.got(1, client="a").kinds() == {c.DUPLICATE}


def test_a_message_that_no_member_of_a_group_got_is_missing(story):
    story.subscribed("a", "$share/g/t/#").subscribed("b", "$share/g/t/#").published(1).published(2)
    assert story.got(2, client="a").kinds() == {c.MISSING}


def test_a_session_that_is_not_present_any_more_is_lost(story):
    story.tell("s", h.CONNECTED, None, False).tell("s", h.CONNECTED, None, False)
    assert story.kinds() == {c.LOST_SESSION}


def test_a_session_may_be_present_before_its_first_connack_came(story):
    assert story.tell("s", h.CONNECTED, None, True).kinds() == set()


def test_what_a_client_saw_against_the_protocol_is_a_fault(story):
    assert story.tell("s", h.FOUL, None, "packet id 3 again without DUP").kinds() == {c.FOUL}


class TestRetained:
    @pytest.fixture
    def kept(self, story):
        return story.published(1, 1, retain=True).published(2, 1, retain=True).sent(3, 1, retain=True)

    def read(self, story, *numbers):
        story.tell("r", h.READING, None, ("t/1",))
        for number in numbers:
            story.tell("r", h.RETAINED, Message("p", "t/1", number))
        story.tell("r", h.READ)
        return story.acked(3).completed(3).kinds()

    @pytest.mark.parametrize("number", (2, 3))
    def test_the_last_acknowledged_value_or_a_later_one_is_right(self, kept, number):
        assert self.read(kept, number) == set()

    def test_an_older_value_is_a_loss(self, kept):
        assert self.read(kept, 1) == {c.LOST_RETAINED}

    def test_no_value_is_a_loss(self, kept):
        assert self.read(kept) == {c.LOST_RETAINED}

    def test_a_value_that_nobody_sent_is_invented(self, kept):
        assert self.read(kept, 9) == {c.INVENTED}

    def test_a_reader_that_was_cut_off_says_nothing(self, kept):
        kept.tell("r", h.READING, None, ("t/1",)).tell("r", h.GONE)
        assert self.read(kept, 3) == set()


def test_the_report_tells_the_story_of_a_missing_message(story):
    story.tell("s", h.CONNECTED, None, False).subscribed().published(1).tell(h.BROKER, h.KILLED)
    text = report(story.events, check(story.events))
    for part in ("1 x acknowledged but missing", "t/1 #1 of p", h.SENT, h.ACKED, h.KILLED, h.SUBSCRIBED):
        assert part in text, text


@pytest.mark.parametrize("topic_filter, topic, wanted", (
    ("a/b", "a/b", True), ("a/b", "a", False), ("a", "a/b", False), ("+/b", "a/b", True), ("a/+", "a", False),
    ("#", "a/b", True), ("a/#", "a", True), ("a/#", "a/b/c", True), ("a/#", "b", False)))
def test_filters_match_topics(topic_filter, topic, wanted):
    assert c.matches(topic_filter, topic) is wanted
