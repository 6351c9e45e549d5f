#include "storage/tools/open_store.hpp"

#include "storage/file/schema.hpp"
#include "storage/file/sqlite_open.hpp"
#include "storage/tools/files.hpp"

namespace comqtt::storage::tools {

Result<Db> open_to_look(const std::string& path) {
    const bool has_log = file_size(path + "-wal") > 0;
    auto db = Db::open(path, Db::Mode::existing);
    if (!db) return db.take_error();
    // A log that was left stays; an empty one made for this look goes with it.
    if (has_log) sqlite3_db_config(db->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (auto set = db->run("PRAGMA query_only=1"); !set) return set.take_error();
    const auto application = db->number("PRAGMA application_id");
    if (!application) return application.error();
    const auto version = db->number("PRAGMA user_version");
    if (!version) return version.error();
    if (*application != kApplicationId) return Error{Status::storage, path + " is not a store of comqtt"};
    if (*version != kSchemaVersion)
        return Error{Status::unsupported, path + " has version " + std::to_string(*version) + ", version " +
                                              std::to_string(kSchemaVersion) + " is known here"};
    return db;
}

Result<Db> open_to_change(const std::string& path) {
    StoreConfig config;
    config.path = path;
    config.on_damage = OnDamage::stop;
    return open_file(config, path);
}

}  // namespace comqtt::storage::tools
