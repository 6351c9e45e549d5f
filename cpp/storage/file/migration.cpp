#include "storage/file/migration.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "storage/file/schema.hpp"

namespace comqtt::storage {

std::span<const Migration> migrations() {
    // Version 1 is the first: it is made, not migrated to.
    return {};
}

namespace {

Result<void> run_steps(Db& db, int version, int target, std::span<const Migration> steps) {
    for (; version < target; ++version) {
        const auto step = std::find_if(steps.begin(), steps.end(),
                                       [version](const Migration& one) { return one.from == version; });
        if (step == steps.end())
            return Error{Status::storage,
                         fmt::format("no way leads from schema version {} to {}", version, version + 1)};
        if (auto done = db.run(step->sql); !done) return done;
    }
    return db.run(fmt::format("PRAGMA user_version={}", target).c_str());
}

}  // namespace

Result<void> migrate(Db& db, int version, int target, std::span<const Migration> steps) {
    if (auto begun = db.run("BEGIN IMMEDIATE"); !begun) return begun;
    auto done = run_steps(db, version, target, steps);
    if (done) done = db.run("COMMIT");
    if (!done && db.inside()) (void)db.run("ROLLBACK");
    return done;
}

}  // namespace comqtt::storage
