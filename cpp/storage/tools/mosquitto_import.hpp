#pragma once
// What a mosquitto.db says, as rows of a store.

#include "storage/tools/mosquitto_file.hpp"
#include "storage/tools/row_writer.hpp"
#include "storage/tools/tools.hpp"

namespace comqtt::storage::tools {

/// `now_ms`: unix time of the import; what expired before it is left out. `line` is told what is left out or changed.
Result<void> add_mosquitto_rows(const MosquittoFile& file, int64_t now_ms, RowWriter& writer,
                                const ReportLine& line);

}  // namespace comqtt::storage::tools
