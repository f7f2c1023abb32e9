#include "common/protocol/wire_host.h"
#include "common/base/numbers.h"

#include "common/protocol/wire.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <span>

namespace pygc::wire {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int patience_after_done_ms = 2000;
constexpr int patience_after_eof_ms = 1000;
// An analysis that was kept and does not take a command within this time is replaced by a new one.
constexpr std::chrono::seconds patience_for_acceptance{5};
// One whose result nobody wants any more is ended when it takes longer to see that.
constexpr std::chrono::seconds patience_when_abandoned{2};

class Server {
public:
  Server(const Launch& launch, Host& host, KeptAnalysis& kept)
      : launch_(launch), host_(host), kept_(kept) {}

  Result<Outcome> run() {
    peer_ = kept_.take(launch_.executable, launch_.hello.stop_id);
    reused_ = peer_ != nullptr;
    if (reused_) {
      peer_->child().forget_last_words();
      give_up_at_ = Clock::now() + patience_for_acceptance;
      auto conversed = converse();
      if (conversed || accepted_ || interrupted_) {
        return conclude(std::move(conversed));
      }
      peer_.reset(); // it was gone already, or is of no use: nothing has been shown yet
      reused_ = false;
    }
    auto started = Peer::start(launch_.executable);
    if (!started) {
      return std::unexpected(started.error());
    }
    peer_ = std::move(*started);
    return conclude(converse());
  }

private:
  bool stands_still() const { return !launch_.hello.stop_id.empty(); }

  Result<void> converse() {
    if (auto greeted = greet(); !greeted) {
      return greeted;
    }
    while (!finished_) {
      if (Clock::now() >= next_idle_ && !idle()) {
        return fail(ErrorKind::cancelled, 0, "interrupted");
      }
      auto message = peer_->channel().receive([this] { return idle(); });
      auto served = message ? serve(*message) : std::unexpected(message.error());
      if (!served) {
        return served;
      }
    }
    return {};
  }

  Result<Outcome> conclude(Result<void> conversed) {
    if (!conversed && outcome_.again && !interrupted_) {
      return outcome_; // the answer is wanted anew in any case
    }
    if (!conversed) {
      // Nothing comes, or an answer cannot be delivered: the analysis is gone, say how.
      return conversed.error().kind == ErrorKind::io ? fail(ErrorKind::io, 0, describe_ending())
                                                     : std::unexpected(conversed.error());
    }
    if (stays_) {
      kept_.keep(std::move(peer_), launch_.hello.stop_id);
    } else {
      peer_->end(outcome_.again ? 0 : patience_after_done_ms);
    }
    return outcome_;
  }

  Result<void> greet() {
    Hello hello = launch_.hello;
    hello.has_backing = static_cast<bool>(launch_.backing);
    const std::array<int, 2> descriptors = {peer_->window().fd(), launch_.backing.get()};
    auto sent = peer_->channel().send(Type::hello, encode(hello),
                                      std::span(descriptors).first(hello.has_backing ? 2 : 1),
                                      [this] { return idle(); });
    // If the analysis is gone already, receive() finds out.
    return sent || sent.error().kind == ErrorKind::io ? Result<void>() : sent;
  }

  bool idle() {
    const auto now = Clock::now();
    next_idle_ = now + std::chrono::milliseconds(idle_milliseconds);
    interrupted_ = !host_.idle();
    const bool late = (outcome_.again || (reused_ && !accepted_)) && now > give_up_at_;
    return !interrupted_ && !late;
  }

  Result<void> answer(Type type, const std::string& payload) {
    return peer_->channel().send(type, payload, {}, [this] { return idle(); });
  }

  /// A question must be answered first: the run ends, to be repeated once it is.
  Result<void> abandon() {
    outcome_ = Outcome{.status = status_failed, .actions = {}, .again = true};
    if (!stands_still()) {
      finished_ = true;
      return {};
    }
    give_up_at_ = Clock::now() + patience_when_abandoned;
    return answer(Type::abandoned, {});
  }

  Result<void> serve(const Message& message) {
    if (!message.descriptors.empty()) {
      return fail(ErrorKind::protocol, 0, "descriptors came where none belong");
    }
    if (reused_ && !accepted_ && message.type != Type::accepted) {
      return fail(ErrorKind::protocol, 0, "it goes on with the command before");
    }
    switch (message.type) {
    case Type::accepted:
      accepted_ = true;
      return {};
    case Type::output:
    case Type::diagnostics:
    case Type::progress:
      return relay(message);
    case Type::read:
      return serve_read(message.payload);
    case Type::threads:
      return serve_threads();
    case Type::mappings:
      return answer(Type::mappings_answer, encode(host_.mappings()));
    case Type::evaluate:
      return serve_evaluate(message.payload);
    case Type::interrupted:
      return answer(Type::interrupted_answer, encode_flag(host_.interrupted()));
    case Type::done: {
      auto done = decode_done(message.payload);
      if (!done) {
        return std::unexpected(done.error());
      }
      // To be run again, and nothing else.
      for (const Action& action : done->actions) {
        if (action.kind == ActionKind::run && action.words.front() != launch_.hello.words.front()) {
          return fail(ErrorKind::protocol, 0, "it wants another command run than its own");
        }
      }
      finished_ = true;
      stays_ = done->stays && stands_still();
      if (!outcome_.again) {
        outcome_ = {.status = done->status, .actions = std::move(done->actions), .again = false};
      }
      return {};
    }
    default:
      return fail(ErrorKind::protocol, 0, "a message that only the plugin may send");
    }
  }

  Result<void> relay(const Message& message) {
    relayed_ += message.payload.size();
    if (relayed_ > max_output) {
      host_.output_refused();
      return fail(ErrorKind::limit, 0,
                  "more than " + std::to_string(max_output >> 20) +
                      " MiB of output: use --output FILE");
    }
    if (message.type == Type::output) {
      host_.output(message.payload);
    } else if (message.type == Type::progress) { // the first byte: '!' when it was asked for
      const std::string_view text = message.payload;
      host_.progress(text.substr(std::min<std::size_t>(1, text.size())), text.starts_with('!'));
    } else {
      host_.diagnostics(message.payload);
    }
    return {};
  }

  Result<void> serve_read(const std::string& payload) {
    const auto request = decode_read_request(payload);
    if (!request) {
      return std::unexpected(request.error());
    }
    return answer(
        Type::read_answer,
        encode_flag(host_.read(request->address, peer_->window().bytes(), request->length)));
  }

  Result<void> serve_threads() {
    if (const auto threads = host_.threads()) {
      return answer(Type::threads_answer, encode(*threads));
    }
    return abandon();
  }

  // The debugger's expressions can do anything; only what the user typed is evaluated.
  Result<void> serve_evaluate(const std::string& expression) {
    bool typed = false;
    for (const auto& word : launch_.hello.words) {
      typed = typed || word.find(expression) != std::string::npos;
    }
    if (expression.empty() || !typed) {
      return fail(ErrorKind::protocol, 0, "an expression that the command does not contain");
    }
    if (const auto number = address_in(expression)) {
      return answer(Type::evaluate_answer,
                    encode(EvaluateAnswer{.ok = true, .value = *number, .problem = {}}));
    }
    if (const auto value = host_.evaluate(expression)) {
      return answer(Type::evaluate_answer, encode(*value));
    }
    return abandon();
  }

  std::string describe_ending() {
    const Ending ending = peer_->end(patience_after_eof_ms);
    std::string text = "the analysis ended ";
    if (!ending.known) {
      text += "without an answer";
    } else if (ending.signal != 0) {
      text +=
          "by signal " + std::to_string(ending.signal) + " (" + ::strsignal(ending.signal) + ")";
    } else {
      text += "without an answer, exit status " + std::to_string(ending.exit_status);
    }
    text += "; the debugger is unharmed";
    if (const auto words = peer_->child().last_words(); !words.empty()) {
      text += "\nIts last words:\n" + words;
      text.pop_back();
    }
    return text;
  }

  const Launch& launch_;
  Host& host_;
  KeptAnalysis& kept_;
  std::unique_ptr<Peer> peer_;
  Outcome outcome_;
  bool reused_ = false; // it has served commands before this one
  bool accepted_ = false;
  bool finished_ = false;
  bool stays_ = false;
  bool interrupted_ = false;
  Clock::time_point give_up_at_;
  std::size_t relayed_ = 0;
  Clock::time_point next_idle_ = Clock::now();
};

} // namespace

Outcome run_analysis(const Launch& launch, Host& host, KeptAnalysis& kept) {
  Server server(launch, host, kept);
  auto outcome = server.run();
  if (outcome) {
    return *outcome;
  }
  std::string text = "pygc: ";
  if (outcome.error().kind == ErrorKind::protocol) {
    text += "the analysis broke the protocol and was ended: ";
  }
  host.diagnostics(text + outcome.error().reason + "\n");
  return {};
}

} // namespace pygc::wire
