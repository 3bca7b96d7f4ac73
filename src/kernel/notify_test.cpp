// SPDX-License-Identifier: MIT
//
// Callbacks on bug checks and processes; device queues.
#include "kernel/notify.h"

#include <ntddk.h>

#include "kernel/scheduling_test.h"

namespace undis::kernel {
namespace {

struct Dump {
  int calls = 0;
  KIRQL irql = 0;
};

TEST(BugCheckCallbacks, AreCalledAtHighLevelWhenTheSystemStops) {
  World world;
  Dump dump;
  KBUGCHECK_CALLBACK_RECORD record;
  KeInitializeCallbackRecord(&record);
  KBUGCHECK_CALLBACK_RECORD gone;
  KeInitializeCallbackRecord(&gone);
  const Outcome outcome = world.system.run("t", [&] {
    auto* const note = +[](PVOID buffer, ULONG length) {
      EXPECT_EQ(length, sizeof(Dump));
      auto& seen = *static_cast<Dump*>(buffer);
      ++seen.calls;
      seen.irql = KeGetCurrentIrql();
    };
    UCHAR component[] = "test";
    EXPECT_EQ(KeRegisterBugCheckCallback(&record, note, &dump, sizeof dump, component), TRUE);
    EXPECT_EQ(KeRegisterBugCheckCallback(&record, note, &dump, sizeof dump, component), FALSE)
        << "it is registered";
    EXPECT_EQ(KeRegisterBugCheckCallback(&gone, note, &dump, sizeof dump, component), TRUE);
    EXPECT_EQ(KeDeregisterBugCheckCallback(&gone), TRUE);
    EXPECT_EQ(KeDeregisterBugCheckCallback(&gone), FALSE);
    KeBugCheckEx(0xE2, 0, 0, 0, 0);
  });
  EXPECT_EQ(outcome, Outcome::BugCheck);
  EXPECT_EQ(dump.calls, 1);
  EXPECT_EQ(dump.irql, HIGH_LEVEL);
}

std::vector<std::pair<HANDLE, BOOLEAN>> processes;
void note_process(HANDLE, HANDLE id, BOOLEAN create) {
  processes.emplace_back(id, create);
}

TEST(ProcessCallbacks, HearOfProcessesUntilTheyAreRemoved) {
  World world;
  processes.clear();
  const HANDLE parent = reinterpret_cast<HANDLE>(std::uintptr_t{4});
  const HANDLE child = reinterpret_cast<HANDLE>(std::uintptr_t{8});
  world.system.run("t", [&] {
    EXPECT_EQ(PsSetCreateProcessNotifyRoutine(&note_process, FALSE), STATUS_SUCCESS);
    EXPECT_EQ(PsSetCreateProcessNotifyRoutine(&note_process, FALSE), STATUS_INVALID_PARAMETER);
    notify_process(parent, child, true);
    notify_process(parent, child, false);
    EXPECT_EQ(PsSetCreateProcessNotifyRoutine(&note_process, TRUE), STATUS_SUCCESS);
    EXPECT_EQ(PsSetCreateProcessNotifyRoutine(&note_process, TRUE), STATUS_INVALID_PARAMETER);
    notify_process(parent, child, true);
  });
  EXPECT_EQ(processes, (std::vector<std::pair<HANDLE, BOOLEAN>>{{child, TRUE}, {child, FALSE}}));
  EXPECT_EQ(world.recorder.text(), "");
}

TEST(DeviceQueues, KeepTheOrderOfArrival) {
  World world;
  KDEVICE_QUEUE queue;
  KDEVICE_QUEUE_ENTRY entries[3] = {};
  world.system.run("t", [&] {
    KeInitializeDeviceQueue(&queue);
    const RaiseIrql raised(DISPATCH_LEVEL);
    EXPECT_EQ(KeRemoveDeviceQueue(&queue), nullptr);
    EXPECT_EQ(KeInsertDeviceQueue(&queue, &entries[0]), FALSE) << "it goes on at once; the queue is busy now";
    EXPECT_EQ(KeInsertDeviceQueue(&queue, &entries[1]), TRUE);
    EXPECT_EQ(KeInsertDeviceQueue(&queue, &entries[2]), TRUE);
    EXPECT_EQ(KeRemoveEntryDeviceQueue(&queue, &entries[1]), TRUE);
    EXPECT_EQ(KeRemoveEntryDeviceQueue(&queue, &entries[1]), FALSE);
    EXPECT_EQ(KeRemoveDeviceQueue(&queue), &entries[2]);
    EXPECT_EQ(KeRemoveDeviceQueue(&queue), nullptr) << "not busy any more";
    EXPECT_EQ(KeInsertDeviceQueue(&queue, &entries[0]), FALSE);
  });
  EXPECT_EQ(world.recorder.text(), "");
}

TEST(DeviceQueues, AreUsedAtDispatchLevelAndInitialised) {
  World world;
  KDEVICE_QUEUE queue{};
  KDEVICE_QUEUE_ENTRY entry{};
  world.system.run("t", [&] { KeInsertDeviceQueue(&queue, &entry); });
  EXPECT_TRUE(world.recorder.saw(Misuse::WrongIrql, "KeInsertDeviceQueue"));
  EXPECT_TRUE(world.recorder.saw(Misuse::ObjectNotInitialized, "KeInsertDeviceQueue"));
}

}  // namespace
}  // namespace undis::kernel
