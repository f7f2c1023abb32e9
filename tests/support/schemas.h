// The JSON Schemas of pygc's documents, and whether a document keeps to its own.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace pygc::tests {

/// What is wrong with a document of pygc (one that has a field "schema") according to the schema
/// that it names, in words; empty when nothing is. Throws when that schema is missing or is none.
std::string violations_of_schema(const nlohmann::json& document);

} // namespace pygc::tests
