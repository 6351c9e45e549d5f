#include "handshake.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

#include "clock.hpp"
#include "socket.hpp"
#include "wire.hpp"

namespace comqtt::bench {
namespace {

constexpr double kTimeoutSeconds = 30;
constexpr std::size_t kLargestReply = 64u << 10;

// Keeps the first packet of a type, skips the others.
class ReplyReader : public Consumer {
public:
    explicit ReplyReader(PacketType wanted) : wanted_(wanted) {}

    const std::uint8_t* consume(const std::uint8_t* begin, const std::uint8_t* end) override {
        Frame frame;
        while (!found_ && next_frame(begin, end, frame)) {
            begin = frame.end();
            if (packet_type(frame.first) != wanted_) continue;
            found_ = true;
            body_.assign(frame.body.begin(), frame.body.end());
        }
        return begin;
    }

    bool found() const { return found_; }
    const Bytes& body() const { return body_; }

private:
    PacketType wanted_;
    bool found_ = false;
    Bytes body_;
};

Bytes await_reply(Connection& connection, PacketType wanted, double timeout_seconds) {
    static ReadBuffer buffer(kLargestReply);
    const std::uint64_t deadline = now_ns() + seconds_to_ns(timeout_seconds);
    ReplyReader reader(wanted);
    while (!reader.found()) {
        wait_readable(connection.fd(), deadline);
        if (connection.receive(buffer, reader) == Connection::Input::closed) {
            throw std::runtime_error("the broker closed a connection during set-up");
        }
    }
    return reader.body();
}

}  // namespace

Connection begin_client(const Options& options, std::string_view client_id, Session session) {
    const int fd = start_connect(options.host, options.port);
    Connection connection(fd);
    wait_writable(fd, now_ns() + seconds_to_ns(kTimeoutSeconds));
    write_all(connection, make_connect(client_id, options.protocol, session), kTimeoutSeconds);
    return connection;
}

Opened open_client(const Options& options, std::string_view client_id, Session session) {
    Connection connection = begin_client(options, client_id, session);
    const Bytes body = await_reply(connection, kConnack, kTimeoutSeconds);
    const Connack connack = parse_connack(body, options.protocol);
    if (connack.reason_code != 0) {
        throw std::runtime_error("CONNECT refused: " + std::to_string(connack.reason_code));
    }
    return {std::move(connection), connack.receive_maximum};
}

void disconnect(Connection& connection) {
    const Bytes packet = {kDisconnect, 0};
    write_all(connection, packet, kTimeoutSeconds);
}

void forget_session(const Options& options, std::string_view client_id) {
    Opened opened = open_client(options, client_id);
    disconnect(opened.connection);
}

void subscribe(Connection& connection, const Options& options, const std::vector<std::string>& filters) {
    constexpr std::size_t kFiltersPerPacket = 200;
    const std::span<const std::string> all(filters);
    std::uint16_t packet_id = 0;
    for (std::size_t i = 0; i < all.size(); i += kFiltersPerPacket) {
        const auto part = all.subspan(i, std::min(kFiltersPerPacket, all.size() - i));
        write_all(connection, make_subscribe(++packet_id, part, options.qos, options.protocol),
                  kTimeoutSeconds);
        const Bytes body = await_reply(connection, kSuback, kTimeoutSeconds);
        const std::size_t first_code = body.size() - std::min(body.size(), part.size());
        for (std::size_t k = first_code; k < body.size(); ++k) {
            if (body[k] >= 0x80) throw std::runtime_error("SUBSCRIBE refused");
        }
    }
}

void ping(Connection& connection, double timeout_seconds) {
    const Bytes packet = {kPingreq, 0};
    write_all(connection, packet, timeout_seconds);
    await_reply(connection, kPingresp, timeout_seconds);
}

void write_all(Connection& connection, ByteView bytes, double timeout_seconds) {
    const std::uint64_t deadline = now_ns() + seconds_to_ns(timeout_seconds);
    connection.send(bytes);
    while (connection.has_pending()) {
        if (connection.is_closed()) throw std::runtime_error("the broker closed a connection");
        wait_writable(connection.fd(), deadline);
        connection.on_writable();
    }
    if (connection.is_closed()) throw std::runtime_error("the broker closed a connection");
}

}  // namespace comqtt::bench
