// SPDX-License-Identifier: MIT
//
// The worker process and its pipe. Lines: "> SCHEDULE" before a job, a JSON object after it, "." at the end.
#include "lab/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

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

[[noreturn]] void work(int to, const std::vector<loader::Image*>& images, const Play& suite, const Worker::Next& next) {
  std::optional<JobResult> last;
  while (const std::optional<machine::Schedule> schedule = next(last)) {
    write_all(to, "> " + schedule->text());
    last = run_job(images, suite, *schedule, false);
    write_all(to, to_line(*last));
    if (last->poisoned) break;
  }
  write_all(to, ".");
  ::_exit(0);  // no destructors of the parent's objects
}

}  // namespace

Worker::Worker(const std::vector<loader::Image*>& images, const Play& suite, Next next) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    ::close(ends[0]);
    work(ends[1], images, suite, next);
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
  if (line == ".") return Said::Ended;
  if (line.starts_with("> ")) {
    schedule_ = line.substr(2);
    return Said::Begun;
  }
  result_ = from_line(line);
  return Said::Result;
}

std::string Worker::death() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  if (WIFSIGNALED(status)) return fmt::format("signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace undis::lab
