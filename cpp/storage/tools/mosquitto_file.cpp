#include "storage/tools/mosquitto_file.hpp"

#include <bit>
#include <cstring>
#include <string>

namespace comqtt::storage::tools {

namespace {

static_assert(std::endian::native == std::endian::little,
              "numbers that mosquitto writes as they lie in memory");

enum Chunk : uint32_t {
    config = 1,
    message = 2,
    client_message = 3,
    retained = 4,
    subscription = 5,
    client = 6
};

constexpr uint32_t kOldest = 3;
constexpr uint32_t kNewest = 6;

/// The fields of one chunk, one after the other. After the first that does not fit all are empty.
class Fields {
public:
    Fields(ByteView bytes, size_t offset) : left_(bytes), offset_(offset) {}

    ByteView bytes(size_t count) {
        if (count > left_.size) {
            good_ = false;
            left_ = {};
            return {};
        }
        const ByteView found = left_.subview(0, count);
        left_ = left_.from(count);
        offset_ += count;
        return found;
    }
    std::string_view text(size_t count) { return bytes(count).text(); }
    /// With its length before it.
    std::string_view text() { return text(u16()); }
    uint8_t u8() {
        const ByteView at = bytes(1);
        return at.empty() ? uint8_t{0} : at[0];
    }
    uint16_t u16() {
        const ByteView at = bytes(2);
        return at.empty() ? uint16_t{0} : load_u16(at.data);
    }
    uint32_t u32() {
        const ByteView at = bytes(4);
        return at.empty() ? 0 : load_u32(at.data);
    }
    /// As it lies in memory.
    uint64_t native_u64() {
        uint64_t number = 0;
        const ByteView at = bytes(8);
        if (!at.empty()) std::memcpy(&number, at.data, 8);
        return number;
    }
    int64_t native_i64() { return static_cast<int64_t>(native_u64()); }
    uint32_t varint() {
        uint32_t number = 0;
        for (unsigned shift = 0; shift <= 21; shift += 7) {
            const uint8_t byte = u8();
            number |= uint32_t{byte & 0x7Fu} << shift;
            if (byte < 0x80) return number;
        }
        good_ = false;
        return 0;
    }
    size_t left() const { return left_.size; }
    size_t offset() const { return offset_; }
    bool good() const { return good_; }

private:
    ByteView left_;
    size_t offset_;
    bool good_ = true;
};

Error wrong(size_t offset, const std::string& text) {
    return {Status::invalid_argument, "offset " + std::to_string(offset) + ": " + text};
}

class Parser {
public:
    explicit Parser(ByteView bytes) : fields_(bytes, 0) {}

    Result<MosquittoFile> run();

private:
    bool is_old() const { return file_.version <= 4; }
    Result<void> read_chunk(uint32_t type, Fields& fields, size_t offset);
    Result<void> read_config(Fields& fields);
    Result<void> read_message(Fields& fields, size_t offset);
    Result<void> read_client_message(Fields& fields, size_t offset);
    void read_subscription(Fields& fields, size_t offset);
    void read_client(Fields& fields, size_t offset);

    Fields fields_;
    MosquittoFile file_;
};

Result<void> Parser::read_config(Fields& fields) {
    if (!is_old()) fields.native_u64();  // last number given
    fields.u8();                         // whether it was written at the end of a run
    const uint8_t id_size = fields.u8();
    if (fields.good() && id_size != 8)
        return Error{Status::unsupported,
                     "numbers of messages have " + std::to_string(id_size) + " bytes, not 8"};
    return {};
}

Result<void> Parser::read_message(Fields& f, size_t offset) {
    MosquittoFile::Message m;
    m.offset = offset;
    m.id = f.native_u64();
    if (is_old()) {
        m.source_id = f.text();
        if (file_.version == 4) {
            f.text();  // user name of the source
            f.u16();   // port
        }
        f.u16();  // packet identifier at the source
        f.u16();  // another, unused
        m.topic = f.text();
        m.qos = f.u8();
        m.retain = f.u8() != 0;
        m.payload = f.bytes(f.u32());
    } else {
        m.expires_s = f.native_i64();
        const uint32_t payload_size = f.u32();
        f.u16();  // packet identifier at the source
        const uint16_t source_size = f.u16();
        const uint16_t username_size = f.u16();
        const uint16_t topic_size = f.u16();
        f.u16();  // port
        m.qos = f.u8();
        m.retain = f.u8() != 0;
        m.source_id = f.text(source_size);
        f.text(username_size);
        m.topic = f.text(topic_size);
        m.payload = f.bytes(payload_size);
        if (f.left()) {
            const size_t where = f.offset();
            m.properties = f.bytes(f.varint());
            if (!f.good() || f.left()) return wrong(where, "properties that do not fill their chunk");
        }
    }
    if (f.good() && m.qos > 2) return wrong(offset, "QoS " + std::to_string(m.qos));
    file_.messages.push_back(m);
    return {};
}

Result<void> Parser::read_client_message(Fields& f, size_t offset) {
    MosquittoFile::ClientMessage m;
    m.offset = offset;
    uint8_t state = 0;
    uint8_t direction = 0;
    if (is_old()) {
        m.client_id = f.text();
        m.message = f.native_u64();
        m.packet_id = f.u16();
        m.qos = f.u8();
        m.retain = f.u8() != 0;
        direction = f.u8();
        state = f.u8();
        m.dup = f.u8() != 0;
    } else {
        m.message = f.native_u64();
        m.packet_id = f.u16();
        const uint16_t id_size = f.u16();
        m.qos = f.u8();
        state = f.u8();
        const uint8_t retain_dup = f.u8();
        direction = f.u8();
        m.retain = (retain_dup & 0xF0) != 0;
        m.dup = (retain_dup & 0x0F) != 0;
        m.client_id = f.text(id_size);
        if (f.left()) {
            const size_t where = f.offset();
            Fields list(f.bytes(f.varint()), f.offset());
            while (list.good() && list.left())
                if (list.u8() == 0x0B)
                    m.identifiers.push_back(list.varint());
                else
                    return wrong(where, "a property that is no subscription identifier");
            if (!f.good() || !list.good() || f.left())
                return wrong(where, "properties that do not fill their chunk");
        }
    }
    if (!f.good()) return {};
    if (m.qos > 2) return wrong(offset, "QoS " + std::to_string(m.qos));
    if (direction > 1) return wrong(offset, "direction " + std::to_string(direction));
    if (state > 11) return wrong(offset, "state " + std::to_string(state));
    m.direction = static_cast<MosquittoFile::Direction>(direction);
    m.state = static_cast<MosquittoFile::State>(state);
    file_.client_messages.push_back(std::move(m));
    return {};
}

void Parser::read_subscription(Fields& f, size_t offset) {
    MosquittoFile::Subscription s;
    s.offset = offset;
    if (is_old()) {
        s.client_id = f.text();
        s.filter = f.text();
        s.options = f.u8();
    } else {
        s.identifier = f.u32();
        const uint16_t id_size = f.u16();
        const uint16_t filter_size = f.u16();
        const uint8_t qos = f.u8();
        s.options = qos | f.u8();
        f.bytes(2);  // padding
        s.client_id = f.text(id_size);
        s.filter = f.text(filter_size);
    }
    file_.subscriptions.push_back(s);
}

void Parser::read_client(Fields& f, size_t offset) {
    MosquittoFile::Client c;
    c.offset = offset;
    if (is_old()) {
        c.id = f.text();
        c.last_packet_id = f.u16();
        f.bytes(f.left());  // when it disconnected, as long as the machine's time_t
    } else {
        c.session_expires_s = f.native_i64();
        c.session_expiry = f.u32();
        c.last_packet_id = f.u16();
        const uint16_t id_size = f.u16();
        uint16_t username_size = 0;
        if (file_.version == 6) {
            f.u16();  // port
            username_size = f.u16();
            // Padding, where the machine aligns numbers of eight bytes.
            const size_t texts = size_t{id_size} + username_size;
            if (f.left() == texts + 4) f.bytes(4);
        }
        c.id = f.text(id_size);
        c.username = f.text(username_size);
    }
    file_.clients.push_back(c);
}

Result<void> Parser::read_chunk(uint32_t type, Fields& fields, size_t offset) {
    switch (type) {
        case Chunk::config: return read_config(fields);
        case Chunk::message: return read_message(fields, offset);
        case Chunk::client_message: return read_client_message(fields, offset);
        case Chunk::retained: file_.retained.push_back({offset, fields.native_u64()}); return {};
        case Chunk::subscription: read_subscription(fields, offset); return {};
        case Chunk::client: read_client(fields, offset); return {};
        default: ++file_.unknown_chunks; return {};
    }
}

Result<MosquittoFile> Parser::run() {
    if (fields_.text(kMosquittoMagic.size()) != kMosquittoMagic) return wrong(0, "not a mosquitto.db");
    fields_.u32();
    file_.version = fields_.u32();
    if (!fields_.good()) return wrong(kMosquittoMagic.size(), "the file ends early");
    if (file_.version < kOldest || file_.version > kNewest)
        return Error{Status::unsupported,
                     "version " + std::to_string(file_.version) + " of mosquitto.db; 3 to 6 are known here"};
    while (fields_.left()) {
        const size_t offset = fields_.offset();
        const uint32_t type = is_old() ? fields_.u16() : fields_.u32();
        const uint32_t size = fields_.u32();
        const size_t body_at = fields_.offset();
        Fields body(fields_.bytes(size), body_at);
        if (!fields_.good()) return wrong(offset, "the file ends in the middle of a chunk");
        if (auto read = read_chunk(type, body, offset); !read) return read.take_error();
        if (!body.good())
            return wrong(offset,
                         "a chunk of type " + std::to_string(type) + " that is shorter than its fields");
    }
    return std::move(file_);
}

}  // namespace

Result<MosquittoFile> parse_mosquitto_file(ByteView bytes) { return Parser(bytes).run(); }

}  // namespace comqtt::storage::tools
