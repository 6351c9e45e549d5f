#include "storage/tools/statement.hpp"

namespace comqtt::storage::tools {

Result<Statement> Statement::make(Db& db, const std::string& sql) {
    auto prepared = db.prepare(sql.c_str());
    if (!prepared) return prepared.take_error();
    Statement statement;
    statement.db_ = &db;
    statement.prepared_ = prepared.take();
    return statement;
}

Statement& Statement::bind(int index, const Value& value) {
    switch (value.type) {
        case Value::Type::integer: prepared_.bind(index, value.number); break;
        case Value::Type::text: prepared_.bind(index, std::string_view(value.bytes)); break;
        case Value::Type::blob: prepared_.bind(index, ByteView(std::string_view(value.bytes))); break;
        case Value::Type::null:
        case Value::Type::other: prepared_.bind_null(index); break;
    }
    return *this;
}

Result<bool> Statement::step() {
    const bool row = prepared_.step();
    if (prepared_.failed()) return db_->error();
    return row;
}

Result<void> Statement::run() {
    while (prepared_.step()) {
    }
    if (!prepared_.failed()) {
        prepared_.reset();
        return {};
    }
    Error error = db_->error();
    if ((sqlite3_errcode(db_->handle()) & 0xFF) == SQLITE_CONSTRAINT) error.status = Status::exists;
    prepared_.reset();
    return error;
}

Value Statement::column(int index) const {
    switch (prepared_.type(index)) {
        case SQLITE_INTEGER: return Value::integer(number(index));
        case SQLITE_TEXT: return Value::text(text(index));
        case SQLITE_BLOB: return Value::blob(text(index));
        case SQLITE_NULL: return {};
        default: return {Value::Type::other, 0, {}};
    }
}

Row Statement::row() const {
    Row found;
    for (int index = 0; index < prepared_.columns(); ++index) found.push_back(column(index));
    return found;
}

}  // namespace comqtt::storage::tools
