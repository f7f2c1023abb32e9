#include "common/report/doctor_view.h"

#include "common/report/kit/envelope.h"

namespace pygc::report {

using analysis::Fact;
using analysis::Lack;

std::string doctor_json(const Subject& subject, const analysis::DoctorReport& report) {
  Json facts = Json::object();
  for (const Fact& fact : report.facts) {
    facts[fact.name] = fact.value;
  }
  Json lacks = Json::array();
  std::vector<std::string> incomplete_because;
  for (const Lack& lack : report.lacks) {
    lacks.push_back({{"what", lack.what},
                     {"effect", lack.effect},
                     {"remedy", lack.remedy},
                     {"fatal", lack.fatal}});
    incomplete_because.push_back(lack.what);
  }
  Json document = envelope("doctor", subject, incomplete_because);
  document["facts"] = std::move(facts);
  document["lacks"] = std::move(lacks);
  return document_text(document);
}

std::string doctor_text(const analysis::DoctorReport& report, Style style) {
  Text text(style);
  for (const Fact& fact : report.facts) {
    text.field(fact.name, fact.value.empty() ? "unknown" : fact.value);
  }
  for (const Lack& lack : report.lacks) {
    text.blank();
    text.paragraph((lack.fatal ? "fatal: " : "lacks: ") + lack.what);
    text.paragraph("effect: " + lack.effect, 2);
    text.paragraph("mend: " + lack.remedy, 2);
  }
  if (report.lacks.empty()) {
    text.blank();
    text.line("nothing is lacking");
  }
  return text.take();
}

} // namespace pygc::report
