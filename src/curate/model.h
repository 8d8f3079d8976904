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

struct Model {
  std::string name, schema, sql;
  bool is_view = false;
  std::string key;                 ///< the column whose values are replaced; empty: the whole table each time
  std::string touched;             ///< 'shipments' | 'drivers' | 'all'; empty for a roll-up
  std::vector<GroupsFrom> groups;  ///< of a roll-up
  std::map<std::string, std::string>
      slice;  ///< 'core.shipments' or 'ref.findings' -> the column by which the touched set narrows that input
  std::vector<std::string> refs;  ///< models this one reads

  std::string table() const { return schema + "." + name; }
};

/// All models below `directory`, each after the models it reads. Errors (halt): 'model_unreadable', 'model_template',
/// 'model_cycle', naming the file.
Result<std::vector<Model>> load_models(const std::string& directory);

/// The model's SQL with its inputs filled in. With `touched_table`, inputs named in `slice` are narrowed to its keys.
std::string render(const Model& model, const std::vector<Model>& all, const std::optional<std::string>& touched_table);

}  // namespace ff
