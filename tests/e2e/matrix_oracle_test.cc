// gc_refs as pygc computes it from a core against what the interpreter computed itself, for every
// build of the matrix: with symbols, without any, and without the table of the very build.
#include "tests/e2e/support/matrix.h"
#include "tests/e2e/support/oracle.h"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

std::string number(std::size_t value) {
  std::string text = std::to_string(value);
  for (auto at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

/// How pygc is told where the files are.
struct View {
  std::string name;
  Words options;
  Words env;
};

struct Request {
  Words words = {}; // of collect.py
  int generation = 2;
  bool twice = false;
  bool other_interpreters = false; // pygc lists the objects of all of them
};

/// What `pygc gc-refs` says of the oracle's core, against the oracle.
Comparison compare_with(const Oracle& oracle, const Request& request, const View& view) {
  const std::string output = oracle.core.directory->file("gc-refs");
  Words words = {"gc-refs", oracle.core.path, "--output", output};
  words.insert(words.end(), view.options.begin(), view.options.end());
  if (request.generation < 2) {
    words.insert(words.end(), {"--generation", std::to_string(request.generation)});
  }
  const Outcome outcome = run_pygc(words, view.env);
  EXPECT_EQ(outcome.status, 0) << view.name << ": " << outcome.out << outcome.err;
  if (outcome.status != 0) {
    return {.differences = oracle.references.size(), .first_ones = "no answer"};
  }
  References given = read_references(output);
  for (const auto& [address, type] : oracle.untracked) {
    EXPECT_TRUE(type == "tuple" || type == "dict") << type;
    EXPECT_EQ(given.erase(address), 1U) << std::hex << address;
  }
  Comparison result = compare(oracle.references, given);
  if (request.other_interpreters) {
    result.differences -= result.not_collected;
  }
  EXPECT_EQ(result.differences, 0U) << view.name << ":\n" << result.first_ones;
  return result;
}

std::string layout_of(const Oracle& oracle, const View& view) {
  Words words = {"runtime", oracle.core.path, "--json"};
  words.insert(words.end(), view.options.begin(), view.options.end());
  const Outcome outcome = run_pygc(words, view.env);
  const auto document = nlohmann::json::parse(outcome.out, nullptr, false);
  if (document.is_discarded()) {
    throw std::runtime_error("pygc runtime: " + outcome.out + outcome.err);
  }
  return document.at("runtimes").at(0).at("layout");
}

/// Tables without those of the build's version: copies in a directory for PYGC_SHARE_DIR. Returns
/// how many of the same minor version are left, with a GIL or without one as the build.
std::size_t copy_other_tables(const MatrixBuild& build, const fs::path& directory) {
  const std::string minor = "-3." + std::to_string(build.number.minor) + ".";
  const std::string kind = build.free_threaded ? "t-" : "-";
  const std::string exact = "-" + build.version + kind;
  std::size_t left = 0;
  fs::create_directories(directory / "layouts");
  for (const auto& entry : fs::directory_iterator(PYGC_TEST_SHARE_DIR "/layouts")) {
    const std::string name = entry.path().filename().string();
    if (name.find(exact) == std::string::npos) {
      fs::copy_file(entry.path(), directory / "layouts" / name);
      const bool free_threaded = name.find("t-") != std::string::npos;
      left += name.find(minor) != std::string::npos && free_threaded == build.free_threaded;
    }
  }
  return left;
}

std::string compare_views(const Oracle& oracle, const Request& request, const MatrixBuild& build) {
  EXPECT_GT(oracle.references.size(), request.other_interpreters ? 500U : 2000U);
  const auto negative = std::ranges::count_if(
      oracle.references, [](const auto& entry) { return entry.second.gc_refs < 0; });
  // Without generations each collection takes all objects.
  const bool full = request.generation == 2 || build.free_threaded;
  EXPECT_EQ(negative, request.twice && full && build.has_faulthandler_bug() ? 1 : 0);

  const View with_symbols{"symbols", build.build.pygc_options(), {}};
  const Comparison named = compare_with(oracle, request, with_symbols);
  if (request.generation == 2 && request.words.empty()) {
    // Without a generation the replayer walks the lists itself where nothing is wrong.
    View walked = with_symbols;
    walked.name = "walked";
    walked.options.insert(walked.options.end(), {"--generation", "2"});
    compare_with(oracle, request, walked);
  }
  const StrippedCopy stripped(build);
  const View without{"stripped", stripped.pygc_options(), stripped.env()};
  const Comparison bare = compare_with(oracle, request, without);
  EXPECT_NE(layout_of(oracle, without), "dwarf");
  return number(named.objects) + " objects compared, " + number(named.differences) +
         " differences; without symbols (" + layout_of(oracle, without) + ") " +
         number(bare.differences);
}

void compare_build(const MatrixBuild& it, const std::string& name, const Request& request) {
  examine_build(it, name, [&](const MatrixBuild& build) {
    Words words = request.words;
    words.push_back("generation=" + std::to_string(request.generation));
    if (request.twice) {
      words.emplace_back("twice");
    }
    return compare_views(consult_oracle(build.build, words), request, build);
  });
}

class MatrixOracle : public MatrixTest {};

TEST_P(MatrixOracle, FullCollection) {
  compare_build(GetParam(), "full", {});
}
TEST_P(MatrixOracle, FullCollectionOfADoubleImport) {
  compare_build(GetParam(), "full twice", {.twice = true});
}
TEST_P(MatrixOracle, YoungCollection) {
  compare_build(GetParam(), "young", {.generation = 0});
}
TEST_P(MatrixOracle, MiddleCollectionOfADoubleImport) {
  compare_build(GetParam(), "middle twice", {.generation = 1, .twice = true});
}

TEST_P(MatrixOracle, EveryKindOfContainer) {
  compare_build(GetParam(), "containers", {.words = {"heap=matrix_heap.py"}});
}
TEST_P(MatrixOracle, YoungCollectionBesideFrozenObjects) {
  compare_build(GetParam(), "young, frozen",
                {.words = {"heap=matrix_heap.py", "freeze"}, .generation = 0});
}

/// Threads that wait and threads that have ended: what they made lies in heaps of their own.
TEST_P(MatrixOracle, ObjectsOfOtherThreads) {
  compare_build(GetParam(), "threads", {.words = {"heap=threads_heap.py"}});
}

/// With what the build has of them, which may be none.
TEST_P(MatrixOracle, ExtensionPackages) {
  const Request request{.words = {"heap=matrix_heap.py", "packages", "generation=2"}};
  examine_build(GetParam(), "packages", [&](const MatrixBuild& build) {
    const Oracle oracle = consult_oracle(build.build, request.words);
    const std::string names = oracle.core.printed_value("packages");
    return (names.empty() ? "has none; " : names + "; ") + compare_views(oracle, request, build);
  });
}

TEST_P(MatrixOracle, MainInterpreterAmongOthers) {
  compare_build(GetParam(), "interpreters",
                {.words = {"heap=matrix_heap.py", "interpreters"}, .other_interpreters = true});
}

TEST_P(MatrixOracle, Subinterpreter) {
  const Request request{.words = {"heap=matrix_heap.py", "interpreters", "subinterpreter"},
                        .other_interpreters = true};
  examine_build(GetParam(), "subinterpreter", [&](const MatrixBuild& build) {
    const Oracle oracle = consult_oracle(build.build, request.words);
    return oracle.core.printed_value("interpreters") + "; " + compare_views(oracle, request, build);
  });
}

/// An unknown patch release without debug information: the nearest table serves, and says so; where
/// none fits the build is refused in one sentence.
TEST_P(MatrixOracle, WithoutTheTableOfTheBuild) {
  const Request request{.words = {"heap=heap.py"}};
  examine_build(GetParam(), "other tables", [&](const MatrixBuild& build) -> std::string {
    const TempDir share;
    const std::size_t left = copy_other_tables(build, share.path());
    const Oracle oracle = consult_oracle(build.build, request.words);
    const StrippedCopy stripped(build);
    View view{"other tables", stripped.pygc_options(), stripped.env()};
    view.env.push_back("PYGC_SHARE_DIR=" + share.path().string());
    if (left == 0) {
      Words words = {"check", oracle.core.path};
      words.insert(words.end(), view.options.begin(), view.options.end());
      const Outcome outcome = run_pygc(words, view.env);
      EXPECT_EQ(outcome.status, 2) << outcome.out;
      EXPECT_EQ(split_lines(outcome.err).size(), 1U) << outcome.err;
      return "no other table of this minor version; refused: " + split_lines(outcome.err).front();
    }
    EXPECT_EQ(layout_of(oracle, view), "probed");
    const Comparison result = compare_with(oracle, request, view);
    return number(result.objects) + " objects compared, " + number(result.differences) +
           " differences";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixOracle, testing::ValuesIn(matrix()), name_of_build);

/// What would make a comparison above one with nothing in it, on every build.
TEST(MatrixCoverage, SomeBuildHasExtensionPackages) {
  const bool some = std::ranges::any_of(matrix(), [](const MatrixBuild& build) {
    Command import{.words = build.build.command, .env = build.build.env};
    import.words.insert(import.words.end(), {"-c", "import numpy, pandas, lxml.etree"});
    return run(import).status == 0;
  });
  EXPECT_TRUE(some) << "no build of the matrix has extension packages";
}

TEST(MatrixCoverage, SomeBuildHasTablesBesideItsOwn) {
  const bool some = std::ranges::any_of(matrix(), [](const MatrixBuild& build) {
    const TempDir share;
    return copy_other_tables(build, share.path()) > 0;
  });
  EXPECT_TRUE(some);
}

} // namespace
} // namespace pygc::e2e
