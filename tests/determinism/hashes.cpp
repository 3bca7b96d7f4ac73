// SPDX-License-Identifier: MIT
//
// Runs a suite of `undis verify` on driver images under schedule after schedule, in this process, and prints
// what must be the same in each process and each build: the schedule, a hash of the trace, a hash of the
// switches, the number of schedule points.
//
// schedule_hashes COUNT SUITE IMAGE...
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "lab/job.h"
#include "machine/strategy.h"

int main(int argc, char** argv) {
  using namespace undis;
  if (argc < 4) {
    std::fprintf(stderr, "usage: schedule_hashes COUNT SUITE IMAGE...\n");
    return 2;
  }
  const lab::Play* const suite = lab::find_suite(argv[2]);
  if (suite == nullptr) {
    std::fprintf(stderr, "%s: no suite\n", argv[2]);
    return 2;
  }
  std::vector<std::unique_ptr<loader::Image>> opened;
  std::vector<loader::Image*> images;
  for (int i = 3; i < argc; ++i) {
    auto image = loader::Image::open(argv[i]);
    if (!image) {
      std::fprintf(stderr, "%s\n", image.error().c_str());
      return 2;
    }
    opened.push_back(std::move(*image));
    images.push_back(opened.back().get());
  }
  machine::SearchSetup setup;
  setup.seed = 0xD5;
  const auto search = machine::Strategy::make("mixed", setup);
  for (long i = std::strtol(argv[1], nullptr, 10); i > 0; --i) {
    const machine::Schedule schedule = *search->next();
    machine::Trail trail;
    search->prepare(trail);
    const lab::JobResult result = lab::run_job(images, *suite, schedule, trail, verifier::Evidence::None);
    search->learn(schedule, trail);
    if (!result.fits) {
      std::fprintf(stderr, "%s does not fit\n", argv[2]);
      return 2;
    }
    std::printf("%s %016llx %016llx %llu %zu\n", schedule.text().c_str(),
                static_cast<unsigned long long>(result.trace_hash),
                static_cast<unsigned long long>(result.switch_hash),
                static_cast<unsigned long long>(trail.points), result.violations.size());
    if (result.poisoned) {
      std::fprintf(stderr, "%s: it does not end\n", schedule.text().c_str());
      return 1;
    }
  }
  return 0;
}
