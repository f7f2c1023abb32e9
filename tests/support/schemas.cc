#include "tests/support/schemas.h"

#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace pygc::tests {
namespace {

using nlohmann::json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

constexpr std::size_t shown = 8;

json read_schema(const std::string& file) {
  std::ifstream stream(std::string(PYGC_SCHEMA_DIR) + "/" + file);
  if (!stream) {
    throw std::runtime_error("there is no schema " + file);
  }
  return json::parse(stream);
}

/// "pygc.check/1" -> "check-1.json".
std::string file_of(const std::string& schema) {
  const std::string family = "pygc.";
  const auto slash = schema.find('/');
  if (!schema.starts_with(family) || slash == std::string::npos) {
    throw std::runtime_error("no schema of pygc: " + schema);
  }
  return schema.substr(family.size(), slash - family.size()) + "-" + schema.substr(slash + 1) +
         ".json";
}

const valijson::Schema& schema_named(const std::string& name) {
  static std::map<std::string, std::unique_ptr<valijson::Schema>> schemas;
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  auto& schema = schemas[name];
  if (schema == nullptr) {
    auto parsed = std::make_unique<valijson::Schema>();
    const json text = read_schema(file_of(name));
    // Ours need nothing that 2020-12 has and draft 7 has not: "$defs" is found by its path.
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(
        Adapter(text), *parsed,
        [](const std::string& file) -> const json* { return new json(read_schema(file)); },
        [](const json* fetched) { delete fetched; });
    schema = std::move(parsed);
  }
  return *schema;
}

/// The envelope's promise that no schema can express.
std::string broken_promise(const json& document) {
  return document.at("complete").get<bool>() == document.at("incomplete_because").empty()
             ? ""
             : "'complete' and 'incomplete_because' contradict each other\n";
}

} // namespace

std::string violations_of_schema(const json& document) {
  if (!document.is_object() || !document.contains("schema")) {
    return "no document of pygc: it has no field 'schema'\n";
  }
  valijson::Validator validator;
  valijson::ValidationResults results;
  const Adapter adapter(document);
  if (validator.validate(schema_named(document.at("schema").get<std::string>()), adapter,
                         &results)) {
    return broken_promise(document);
  }
  std::string text;
  valijson::ValidationResults::Error error;
  for (std::size_t i = 0; i < shown && results.popError(error); ++i) {
    for (const std::string& step : error.context) {
      text += step;
    }
    text += ": " + error.description + "\n";
  }
  return text;
}

} // namespace pygc::tests
