#pragma once
// The tables of the SQLite store. docs/storage.md describes them; version in PRAGMA user_version.

namespace comqtt::storage {

inline constexpr int kSchemaVersion = 1;
inline constexpr int kApplicationId = 0x434D5154;  ///< "CMQT", PRAGMA application_id
inline constexpr int kPageSize = 4096;

inline constexpr const char* kSchema = R"sql(
CREATE TABLE sessions (
  id              INTEGER PRIMARY KEY,
  client_id       TEXT NOT NULL UNIQUE,
  username        TEXT NOT NULL,
  remote          TEXT NOT NULL,
  listener        TEXT NOT NULL,
  version         INTEGER NOT NULL,          -- 3, 4, 5
  clean_start     INTEGER NOT NULL,
  expiry_interval INTEGER NOT NULL,          -- seconds; 4294967295 = never
  disconnected_ms INTEGER NOT NULL,          -- unix ms; 0 = was connected
  will            BLOB,                      -- a PUBLISH packet in its MQTT 5.0 form; NULL = none
  will_delay      INTEGER NOT NULL DEFAULT 0, -- seconds
  will_due_ms     INTEGER NOT NULL DEFAULT 0  -- unix ms; 0 = its delay counts from the restart
);
CREATE TABLE subscriptions (
  session    INTEGER NOT NULL,
  filter     TEXT NOT NULL,                  -- `$share/...` included
  options    INTEGER NOT NULL,               -- the options byte of SUBSCRIBE
  identifier INTEGER NOT NULL,               -- 0 = none
  PRIMARY KEY (session, filter)
) WITHOUT ROWID;
CREATE TABLE messages (                      -- once for all queues that hold it
  id         INTEGER PRIMARY KEY,
  refs       INTEGER NOT NULL,               -- rows of `queue`
  created_ms INTEGER NOT NULL,               -- unix ms
  expiry     INTEGER,                        -- Message Expiry Interval as published, seconds; NULL = none
  flags      INTEGER NOT NULL,               -- QoS as published, 4 = RETAIN
  topic      TEXT NOT NULL,
  payload    BLOB NOT NULL,
  properties BLOB,                           -- MQTT 5.0 form without length; NULL = none
  origin     TEXT NOT NULL                   -- client id of the publisher
);
CREATE TABLE queue (                         -- outbound messages of a session, in order
  session     INTEGER NOT NULL,
  position    INTEGER NOT NULL,
  message     INTEGER,                       -- NULL once released
  packet_id   INTEGER NOT NULL,              -- 0 = not sent yet
  flags       INTEGER NOT NULL,              -- QoS as delivered, 4 = RETAIN, 8 = released
  size        INTEGER NOT NULL,              -- bytes it counts for in the session's queue
  expires_ms  INTEGER NOT NULL,              -- unix ms; 0 = never
  identifiers BLOB,                          -- subscription identifiers, 4 bytes each, big endian; NULL = none
  share       TEXT,                          -- the shared subscription it came through; NULL = none
  PRIMARY KEY (session, position)
) WITHOUT ROWID;
CREATE TABLE received (                      -- inbound QoS 2 identifiers that wait for PUBREL
  session   INTEGER NOT NULL,
  packet_id INTEGER NOT NULL,
  PRIMARY KEY (session, packet_id)
) WITHOUT ROWID;
CREATE TABLE retained (
  topic      TEXT PRIMARY KEY,
  created_ms INTEGER NOT NULL,
  expiry     INTEGER,
  qos        INTEGER NOT NULL,
  payload    BLOB NOT NULL,
  properties BLOB,
  origin     TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE blocked (client_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE removed (session INTEGER PRIMARY KEY);  -- ended sessions of which rows remain to be deleted
CREATE TABLE state (                         -- commits: transactions so far; clean: 1 = was closed in order
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO state VALUES ('commits', 0), ('clean', 0);
)sql";

}  // namespace comqtt::storage
