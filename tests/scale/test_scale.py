"""What grows costs the same per item however much there is of it, and nobody else waits meanwhile."""

import pytest

import structures_messages as messages
import structures_sessions as sessions
import structures_subscriptions as subscriptions

memory_and_store = pytest.mark.parametrize("store", (False, True), ids=("memory", "store"))


@memory_and_store
def test_sessions_without_a_connection_and_members_of_a_shared_subscription(scale, store):
    scale(sessions.OfflineSessions, store)


def test_wills_of_stored_sessions_that_fall_due_in_the_same_moment(scale):
    scale(sessions.DelayedWills, store=True)


def test_wills_of_connections_that_end_in_the_same_moment(scale):
    scale(sessions.WillsOfConnections)


def test_connected_clients_that_receive_the_same_messages(scale):
    scale(sessions.ConnectedReceivers)


@memory_and_store
def test_subscriptions_of_one_client(scale, store):
    scale(subscriptions.SubscriptionsOfOne, store)


def test_subscriptions_of_many_clients(scale):
    scale(subscriptions.SubscriptionsOfMany)


def test_shared_subscriptions_of_one_client(scale):
    scale(subscriptions.GroupsOfOne)


def test_filters_that_a_topic_makes_the_broker_look_at(scale):
    scale(subscriptions.FiltersLookedAt)


def test_long_filters(scale):
    scale(subscriptions.LongFilters)


@memory_and_store
def test_retained_messages_and_their_replays(scale, store):
    scale(messages.Retained, store)


def test_retained_messages_for_many_clients_that_subscribe_at_once(scale):
    scale(messages.RetainedForMany)


@memory_and_store
def test_messages_in_flight_to_one_client(scale, store):
    scale(messages.InFlightOfOne, store)


def test_messages_in_flight_to_many_clients(scale):
    scale(messages.InFlightOfMany)


@memory_and_store
def test_messages_that_wait_for_one_client(scale, store):
    scale(messages.QueueOfOne, store)


@memory_and_store
def test_messages_that_wait_for_several_clients(scale, store):
    scale(messages.QueuesOfMany, store)


@memory_and_store
def test_a_full_queue(scale, store):
    scale(messages.FullQueue, store)
