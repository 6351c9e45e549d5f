#pragma once
// PageFile: the rows of an SQLite file read page by page, past what is damaged. SQLite itself stops at the first bad
// page. The form is that of https://www.sqlite.org/fileformat2.html; nothing found in the file is trusted.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "storage/tools/value.hpp"

namespace comqtt::storage::tools {

class PageFile {
public:
    struct Root {
        std::string table;
        uint32_t page = 0;
    };
    /// A row: its rowid (0 in a table without) and its columns as stored.
    using OnRow = std::function<void(int64_t rowid, Row row)>;
    using OnProblem = std::function<void(const std::string& text)>;

    /// Everything but the log: that is for SQLite to put in its place before.
    static Result<PageFile> open(const std::string& path);
    PageFile(PageFile&& other) noexcept;
    PageFile& operator=(PageFile&&) = delete;
    ~PageFile();

    uint32_t user_version() const { return user_version_; }
    uint32_t application_id() const { return application_id_; }
    /// The tables and indexes that the schema names.
    std::vector<Root> tables(const OnProblem& problem);
    /// Every row that can be reached from a table's root.
    void rows(uint32_t root, const OnRow& row, const OnProblem& problem);
    /// Begins anew: every page may be read again.
    void forget() { visited_.assign(visited_.size(), false); }
    /// Rows that a damaged page hides: of pages neither reached so far nor free. To be called after rows() of all
    /// tables and indexes, and only when something was damaged.
    void lost_rows(const OnRow& row);

private:
    struct Page;
    struct Cell;

    explicit PageFile(int fd) : fd_(fd) {}
    Result<void> read_header();
    bool read_page(uint32_t number, std::vector<uint8_t>& out) const;
    bool visit(uint32_t number);
    void walk(uint32_t number, int depth, const OnRow& row, const OnProblem& problem);
    bool read_cell(const Page& page, size_t at, Cell& out);
    bool read_payload(ByteView page, size_t at, uint64_t size, bool index, std::string& out);
    bool mark_free();

    int fd_;
    uint32_t page_size_ = 0;
    uint32_t usable_ = 0;
    uint32_t pages_ = 0;
    uint32_t user_version_ = 0;
    uint32_t application_id_ = 0;
    uint32_t first_free_ = 0;
    bool has_page_map_ = false;  ///< of a file that can shrink
    std::vector<bool> visited_;
};

/// A record of SQLite: header of types, then values. False when it does not fit its bytes.
bool read_record(ByteView record, Row& out);

}  // namespace comqtt::storage::tools
