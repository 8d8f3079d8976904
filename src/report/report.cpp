#include "report/report.h"

#include "embedded/report_sql.h"
#include "report/blocks.h"

namespace ff {

Result<Report> ask_report(Lake& lake) {
  Report report;
  for (const Block& block : blocks_of(embedded::report_sql)) report[block.name] = FF_TRY(lake.query(block.sql));
  return report;
}

}  // namespace ff
