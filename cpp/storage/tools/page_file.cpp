#include "storage/tools/page_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace comqtt::storage::tools {

namespace {

constexpr int kDeepest = 32;
constexpr size_t kFileHeader = 100;
constexpr uint64_t kLongestRow = 1'000'000'000;  // SQLite's own limit

enum PageType : uint8_t { index_interior = 2, table_interior = 5, index_leaf = 10, table_leaf = 13 };

/// A number of SQLite's: up to nine bytes, the last of them whole.
bool read_varint(ByteView bytes, size_t& at, uint64_t& out) {
    out = 0;
    for (int count = 1; at < bytes.size; ++count) {
        const uint8_t byte = bytes[at++];
        if (count == 9) {
            out = out << 8 | byte;
            return true;
        }
        out = out << 7 | (byte & 0x7Fu);
        if (byte < 0x80) return true;
    }
    return false;
}

bool is_interior(uint8_t type) { return type == index_interior || type == table_interior; }
bool is_index(uint8_t type) { return type == index_interior || type == index_leaf; }
bool is_page(uint8_t type) { return is_interior(type) || type == index_leaf || type == table_leaf; }

}  // namespace

struct PageFile::Page {
    std::vector<uint8_t> bytes;
    size_t header = 0;  ///< where its header begins
    uint8_t type = 0;
    uint16_t cells = 0;

    ByteView view() const { return ByteView(bytes); }
    size_t header_size() const { return is_interior(type) ? 12 : 8; }
    uint32_t right_child() const { return load_u32(&bytes[header + 8]); }
    size_t pointer(uint16_t cell) const { return load_u16(&bytes[header + header_size() + 2u * cell]); }

    bool parse(uint32_t number) {
        header = number == 1 ? kFileHeader : 0;
        type = bytes[header];
        if (!is_page(type)) return false;
        cells = load_u16(&bytes[header + 3]);
        return header + header_size() + 2u * cells <= bytes.size();
    }
};

struct PageFile::Cell {
    uint32_t child = 0;
    int64_t rowid = 0;
    bool has_row = false;
    Row row;
};

Result<PageFile> PageFile::open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Error{Status::io, path + ": " + std::generic_category().message(errno)};
    PageFile file(fd);
    if (auto read = file.read_header(); !read)
        return Error{read.error().status, path + ": " + read.error().message};
    return file;
}

PageFile::PageFile(PageFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      page_size_(other.page_size_),
      usable_(other.usable_),
      pages_(other.pages_),
      user_version_(other.user_version_),
      application_id_(other.application_id_),
      first_free_(other.first_free_),
      has_page_map_(other.has_page_map_),
      visited_(std::move(other.visited_)) {}

PageFile::~PageFile() {
    if (fd_ >= 0) ::close(fd_);
}

Result<void> PageFile::read_header() {
    const Error foreign{Status::storage, "the first page is no SQLite database's: nothing can be read"};
    uint8_t header[kFileHeader];
    struct stat status {};
    if (::fstat(fd_, &status) != 0 || ::pread(fd_, header, sizeof header, 0) != ssize_t{sizeof header})
        return foreign;
    if (ByteView(header, 16).text() != std::string_view("SQLite format 3\0", 16)) return foreign;
    page_size_ = load_u16(header + 16) == 1 ? 65'536 : load_u16(header + 16);
    if (page_size_ < 512 || (page_size_ & (page_size_ - 1)) != 0 || header[20] > page_size_ - 480)
        return foreign;
    usable_ = page_size_ - header[20];
    pages_ = static_cast<uint32_t>(
        std::min<uint64_t>(static_cast<uint64_t>(status.st_size) / page_size_, UINT32_MAX - 1));
    first_free_ = load_u32(header + 32);
    has_page_map_ = load_u32(header + 52) != 0;
    user_version_ = load_u32(header + 60);
    application_id_ = load_u32(header + 68);
    visited_.assign(size_t{pages_} + 1, false);
    return {};
}

bool PageFile::read_page(uint32_t number, std::vector<uint8_t>& out) const {
    if (number == 0 || number > pages_) return false;
    out.resize(page_size_);
    const auto offset = static_cast<off_t>(number - 1) * page_size_;
    return ::pread(fd_, out.data(), page_size_, offset) == static_cast<ssize_t>(page_size_);
}

bool PageFile::visit(uint32_t number) {
    if (number == 0 || number > pages_ || visited_[number]) return false;
    visited_[number] = true;
    return true;
}

bool PageFile::read_payload(ByteView page, size_t at, uint64_t size, bool index, std::string& out) {
    const uint32_t largest = index ? (usable_ - 12) * 64 / 255 - 23 : usable_ - 35;
    const uint32_t smallest = (usable_ - 12) * 32 / 255 - 23;
    if (size > kLongestRow || size > uint64_t{pages_} * page_size_) return false;
    uint64_t local = size;
    if (size > largest) {
        local = smallest + (size - smallest) % (usable_ - 4);
        if (local > largest) local = smallest;
    }
    if (at + local + (local < size ? 4 : 0) > usable_) return false;
    out.assign(page.subview(at, local).text());
    if (local == size) return true;
    uint32_t next = load_u32(page.data + at + local);
    std::vector<uint8_t> more;
    while (out.size() < size) {
        if (!visit(next) || !read_page(next, more)) return false;
        next = load_u32(more.data());
        const uint64_t count = std::min<uint64_t>(size - out.size(), usable_ - 4);
        out.append(ByteView(more).subview(4, count).text());
    }
    return true;
}

bool PageFile::read_cell(const Page& page, size_t at, Cell& out) {
    ByteView bytes(page.bytes.data(), usable_);
    if (at < page.header + page.header_size() || at >= usable_) return false;
    if (is_interior(page.type)) {
        if (at + 4 > usable_) return false;
        out.child = load_u32(bytes.data + at);
        at += 4;
        if (page.type == table_interior) return true;
    }
    uint64_t size = 0;
    uint64_t rowid = 0;
    if (!read_varint(bytes, at, size)) return false;
    if (page.type == table_leaf && !read_varint(bytes, at, rowid)) return false;
    out.rowid = static_cast<int64_t>(rowid);
    std::string payload;
    out.has_row = read_payload(bytes, at, size, is_index(page.type), payload) &&
                  read_record(ByteView(std::string_view(payload)), out.row);
    return out.has_row;
}

void PageFile::walk(uint32_t number, int depth, const OnRow& row, const OnProblem& problem) {
    const std::string name = "page " + std::to_string(number);
    Page page;
    if (depth > kDeepest || !visit(number)) return problem(name + " is not where it belongs");
    if (!read_page(number, page.bytes)) return problem(name + " cannot be read");
    if (!page.parse(number)) return problem(name + " is damaged");
    size_t bad = 0;
    for (uint16_t i = 0; i < page.cells; ++i) {
        Cell cell;
        if (!read_cell(page, page.pointer(i), cell)) ++bad;
        if (cell.child) walk(cell.child, depth + 1, row, problem);
        if (cell.has_row) row(cell.rowid, std::move(cell.row));
    }
    if (bad) problem(name + ": " + std::to_string(bad) + " rows are damaged");
    if (is_interior(page.type)) walk(page.right_child(), depth + 1, row, problem);
}

void PageFile::rows(uint32_t root, const OnRow& row, const OnProblem& problem) {
    walk(root, 0, row, problem);
}

std::vector<PageFile::Root> PageFile::tables(const OnProblem& problem) {
    std::vector<Root> found;
    walk(
        1, 0,
        [&](int64_t, const Row& row) {
            // type, name, tbl_name, rootpage, sql
            if (row.size() < 4 || row[3].number <= 0 || row[3].number > pages_) return;
            found.push_back({row[1].bytes, static_cast<uint32_t>(row[3].number)});
        },
        problem);
    return found;
}

bool PageFile::mark_free() {
    for (uint64_t map = 2; has_page_map_ && map <= pages_; map += usable_ / 5 + 1) visited_[map] = true;
    std::vector<uint8_t> trunk;
    for (uint32_t number = first_free_; number != 0;) {
        if (!visit(number) || !read_page(number, trunk)) return false;
        const uint32_t leaves = load_u32(&trunk[4]);
        if (leaves > usable_ / 4 - 2) return false;
        for (uint32_t i = 0; i < leaves; ++i)
            if (!visit(load_u32(&trunk[8 + 4 * size_t{i}]))) return false;
        number = load_u32(trunk.data());
    }
    return true;
}

void PageFile::lost_rows(const OnRow& row) {
    // A free page holds rows that were deleted: without a sound list of those nothing is told apart.
    if (!mark_free()) return;
    const auto ignore = [](const std::string&) {};
    for (const bool interior : {true, false}) {
        for (uint32_t number = 2; number <= pages_; ++number) {
            Page page;
            if (visited_[number] || !read_page(number, page.bytes) || !page.parse(number)) continue;
            if (is_interior(page.type) == interior) walk(number, 0, row, ignore);
        }
    }
}

bool read_record(ByteView record, Row& out) {
    size_t at = 0;
    uint64_t header = 0;
    if (!read_varint(record, at, header) || header > record.size || header < at) return false;
    size_t value_at = header;
    out.clear();
    while (at < header) {
        uint64_t type = 0;
        if (!read_varint(record.subview(0, header), at, type)) return false;
        constexpr uint8_t kSizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
        if (type == 10 || type == 11) return false;
        const uint64_t size = type < 10 ? kSizes[type] : (type - 12) / 2;
        if (size > record.size - value_at) return false;
        const ByteView bytes = record.subview(value_at, size);
        value_at += size;
        if (type == 0) {
            out.emplace_back();
        } else if (type == 7) {
            out.push_back({Value::Type::other, 0, {}});
        } else if (type == 8 || type == 9) {
            out.push_back(Value::integer(static_cast<int64_t>(type - 8)));
        } else if (type < 7) {
            uint64_t number = bytes[0] & 0x80 ? UINT64_MAX : 0;
            for (const uint8_t byte : bytes) number = number << 8 | byte;
            out.push_back(Value::integer(static_cast<int64_t>(number)));
        } else {
            out.push_back(type % 2 ? Value::text(std::string(bytes.text()))
                                   : Value::blob(std::string(bytes.text())));
        }
    }
    return true;
}

}  // namespace comqtt::storage::tools
