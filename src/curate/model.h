/// A model: one file of a dbt project, with what its YAML says about how a part of it can be recomputed.
///
/// The engine reads the same files as dbt. Of dbt's templating it knows `{{ ref('x') }}` and `{{ source('s', 't') }}` and
/// refuses everything else, so that a model means the same to both. Source: models/README.md ("meta").
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace ff {

/// Groups of a roll-up are found by the values of `column` among the old and new rows of the touched part of `parent`.
struct GroupsFrom {
  std::string parent, column;
};

/// How the touched set narrows an input: by `key` alone, or to the rows of a key that lie in the touched span of its time
/// or days.
struct Slice {
  std::string key;  ///< column, or SQL, that is equal to the touched key
  std::string from,
      to;  ///< SQL over the input's columns: when a row begins and ends (inclusive, never null); empty: no matter when
  std::string date;  ///< instead of them: its day
};

/// What a batch or the clock touched: a temporary table (key), or (key, span_start, span_end, first_date, last_date), with
/// one row a key.
struct TouchedTable {
  std::string name;
  std::string least_start = {},
              greatest_end = {};  ///< literals, so that the scan can skip what is older; empty: no spans
  std::map<std::string, std::string> in_hand = {};  ///< table -> what has just its touched rows already
};

struct Model {
  std::string name, schema, sql;
  bool is_view = false;
  std::string key;     ///< the column whose values are replaced; empty: the whole table each time
  std::string within;  ///< of the rows of a key, those are replaced whose `within` lies in the touched span
  std::string
      touched;  ///< 'shipments' | 'drivers' | 'driver_days' | 'driver_times' | 'hours' | 'all'; empty for a roll-up
  std::vector<GroupsFrom> groups;      ///< of a roll-up
  std::map<std::string, Slice> slice;  ///< 'core.shipments' or 'ref.findings' -> how the touched set narrows that input
  std::vector<std::string> refs;       ///< models this one reads

  std::string table() const { return schema + "." + name; }
  bool is_by_day() const { return touched == "driver_days"; }
};

/// All models below `directory`, each after the models it reads. Errors (halt): 'model_unreadable', 'model_template',
/// 'model_cycle', naming the file.
Result<std::vector<Model>> load_models(const std::string& directory);

/// The model's SQL with its inputs filled in; they are read where they are used, not copied first. With `touched`, inputs
/// named in `slice` are narrowed to it.
std::string render(const Model& model, const std::vector<Model>& all, const std::optional<TouchedTable>& touched);

}  // namespace ff
