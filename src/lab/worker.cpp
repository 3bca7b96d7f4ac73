// SPDX-License-Identifier: MIT
//
// The worker process and its pipe. Lines: a JSON object for a job that is told of; at the end "enough" or
// "exhausted".
#include "lab/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

namespace undis::lab {
namespace {

void write_all(int fd, std::string line) {
  line += '\n';
  const char* at = line.data();
  std::size_t left = line.size();
  while (left != 0) {
    const ssize_t written = ::write(fd, at, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(3);  // nobody listens any more
    at += written;
    left -= static_cast<std::size_t>(written);
  }
}

[[noreturn]] void work(int to, const Work& task) {
  machine::Trail trail;
  bool found = false;
  for (std::uint64_t job = 0;; ++job) {
    const bool again = job < task.skip;
    if (!again && job != task.skip && task.more && !task.more(job, found)) {
      write_all(to, "enough");
      break;
    }
    const std::optional<machine::Schedule> schedule = task.strategy.next();
    if (!schedule) {
      write_all(to, "exhausted");
      break;
    }
    if (again && std::ranges::find(task.lost, job) != task.lost.end()) {
      task.strategy.lost();
      continue;
    }
    if (again && !task.strategy.needs_to_learn()) continue;
    trail.clear();
    task.strategy.prepare(trail);
    if (task.board != nullptr && !again) task.board->begin(schedule->text());
    JobResult result = run_job(task.images, task.suite, *schedule, trail, task.evidence);
    task.strategy.learn(*schedule, trail);
    found = !result.violations.empty();
    result.number = task.number_before + job + 1;
    if (task.board != nullptr && !again) task.board->end(trail);
    if (!again && (task.tell_all || found || result.poisoned || !result.fits))
      write_all(to, to_line(result, trail, task.part));
    if (result.poisoned || !result.fits) {
      write_all(to, "enough");
      break;
    }
  }
  ::_exit(0);  // no destructors of the parent's objects
}

/// One schedule, once.
class Once final : public machine::Strategy {
 public:
  explicit Once(const machine::Schedule& schedule) : Strategy(setup_for(schedule)), schedule_(schedule) {}
  void prepare(machine::Trail&) const override {}

 protected:
  std::optional<machine::Schedule> propose() override {
    if (given_) return std::nullopt;
    given_ = true;
    return schedule_;
  }

 private:
  static machine::SearchSetup setup_for(const machine::Schedule& schedule) {
    machine::SearchSetup setup;
    setup.processors = schedule.processors();
    return setup;
  }
  const machine::Schedule& schedule_;
  bool given_ = false;
};

}  // namespace

Worker::Worker(const Work& task) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    ::close(ends[0]);
    work(ends[1], task);
  }
  ::close(ends[1]);
  from_ = ends[0];
}

Worker::~Worker() {
  ::close(from_);
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

bool Worker::read_line(std::string& line, std::chrono::milliseconds patience, bool& silent) {
  silent = false;
  for (;;) {
    if (const std::size_t end = buffer_.find('\n'); end != std::string::npos) {
      line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return true;
    }
    pollfd waiting{from_, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(patience.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) {
      silent = true;
      return false;
    }
    char chunk[65536];
    const ssize_t got = ::read(from_, chunk, sizeof(chunk));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    buffer_.append(chunk, static_cast<std::size_t>(got));
  }
}

Worker::Said Worker::listen(std::chrono::milliseconds patience) {
  std::string line;
  bool silent = false;
  if (!read_line(line, patience, silent)) return silent ? Said::Silent : Said::Died;
  if (line == "enough") return Said::Enough;
  if (line == "exhausted") return Said::Exhausted;
  result_ = from_line(line, trail_);
  return Said::Result;
}

std::optional<JobResult> run_apart(const std::vector<loader::Image*>& images, const Play& suite,
                                   const machine::Schedule& schedule, machine::Trail& trail,
                                   verifier::Evidence evidence, std::chrono::milliseconds patience) {
  Once once(schedule);
  Worker worker({.images = images,
                 .suite = suite,
                 .strategy = once,
                 .lost = {},
                 .more = {},
                 .tell_all = true,
                 .evidence = evidence,
                 .part = TrailPart::Turns});
  if (worker.listen(patience) != Worker::Said::Result) return std::nullopt;
  trail = worker.trail();
  return worker.result();
}

std::string Worker::death() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  if (WIFSIGNALED(status))
    return fmt::format("signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace undis::lab
