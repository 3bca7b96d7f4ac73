// SPDX-License-Identifier: MIT
//
// Files and logs of miniports.
//
// Beyond  A log larger than 1 MiB is not made: NDIS_STATUS_RESOURCES.
#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/registry.h"
#include "kernel/unicode.h"
#include "ndis/driver_file.h"

using namespace undis;
using kernel::Misuse;
using kernel::report_misuse;

namespace {

constexpr UINT kLargestLog = 1024 * 1024;

Ref<DriverFile> find_file(const DdiCall& call, NDIS_HANDLE handle) {
  return call.find<DriverFile>("FileHandle", handle, HandleKind::File);
}
Ref<MiniportLog> find_log(const DdiCall& call, NDIS_HANDLE handle) {
  return call.find<MiniportLog>("LogHandle", handle, HandleKind::Log);
}

}  // namespace

// Page    ndis/nf-ndis-ndisopenfile                                  IRQL  PASSIVE_LEVEL
VOID NdisOpenFile(PNDIS_STATUS Status, PNDIS_HANDLE FileHandle, PUINT FileLength, PNDIS_STRING FileName,
                  NDIS_PHYSICAL_ADDRESS) {
  const DdiCall call(Ddi::NdisOpenFile);
  *FileHandle = nullptr;
  *FileLength = 0;
  const std::u16string_view name = kernel::view(FileName);
  const auto contents = kernel::System::current().registry().value(kFilesKey, name);
  if (!contents || contents->type != kernel::RegistryType::Binary) {
    *Status = call.returns(NDIS_STATUS_FILE_NOT_FOUND);
    return;
  }
  if (call.fails()) {
    *Status = call.returns(NDIS_STATUS_RESOURCES);
    return;
  }
  const Ref<DriverFile> file(
      new DriverFile(call.driver(), fmt::format("file {}", kernel::to_utf8(name)), contents->data));
  if (!Library::current().services().open(*file)) {
    *Status = call.returns(NDIS_STATUS_RESOURCES);
    return;
  }
  *FileHandle = file->handle();
  *FileLength = static_cast<UINT>(file->size());
  *Status = call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisclosefile                                 IRQL  PASSIVE_LEVEL
VOID NdisCloseFile(NDIS_HANDLE FileHandle) {
  const DdiCall call(Ddi::NdisCloseFile);
  if (const Ref<DriverFile> file = find_file(call, FileHandle)) Library::current().services().close(*file);
}

// Page    ndis/nf-ndis-ndismapfile                                   IRQL  <= DISPATCH_LEVEL
VOID NdisMapFile(PNDIS_STATUS Status, PVOID* MappedBuffer, NDIS_HANDLE FileHandle) {
  const DdiCall call(Ddi::NdisMapFile);
  *MappedBuffer = nullptr;
  const Ref<DriverFile> file = find_file(call, FileHandle);
  if (file) *MappedBuffer = file->map();
  *Status = call.returns(*MappedBuffer != nullptr ? NDIS_STATUS_SUCCESS : NDIS_STATUS_ALREADY_MAPPED);
}

// Page    ndis/nf-ndis-ndisunmapfile                                 IRQL  PASSIVE_LEVEL
VOID NdisUnmapFile(NDIS_HANDLE FileHandle) {
  const DdiCall call(Ddi::NdisUnmapFile);
  const Ref<DriverFile> file = find_file(call, FileHandle);
  if (file && !file->unmap())
    report_misuse(Misuse::BadParameter, call.name(), FileHandle, file->name() + " is not mapped");
}

// Page    ndis/nf-ndis-ndismcreatelog                                IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMCreateLog(NDIS_HANDLE MiniportAdapterHandle, UINT Size, PNDIS_HANDLE LogHandle) {
  const DdiCall call(Ddi::NdisMCreateLog);
  *LogHandle = nullptr;
  const Ref<Adapter> adapter =
      call.find<Adapter>("MiniportAdapterHandle", MiniportAdapterHandle, HandleKind::Adapter);
  if (!adapter || Size == 0 || Size > kLargestLog || call.fails()) return call.returns(NDIS_STATUS_RESOURCES);
  const Ref<MiniportLog> log(
      new MiniportLog(call.driver(), fmt::format("the log of {}", adapter->name()), Size));
  log->made_for(adapter.get());
  if (!Library::current().services().open(*log)) return call.returns(NDIS_STATUS_RESOURCES);
  *LogHandle = log->handle();
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndismwritelogdata                             IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisMWriteLogData(NDIS_HANDLE LogHandle, PVOID LogBuffer, UINT LogBufferSize) {
  const DdiCall call(Ddi::NdisMWriteLogData);
  const Ref<MiniportLog> log = find_log(call, LogHandle);
  return call.returns(log && log->write(LogBuffer, LogBufferSize) ? NDIS_STATUS_SUCCESS
                                                                  : NDIS_STATUS_BUFFER_OVERFLOW);
}

// Page    ndis/nf-ndis-ndismflushlog                                 IRQL  <= DISPATCH_LEVEL
VOID NdisMFlushLog(NDIS_HANDLE LogHandle) {
  const DdiCall call(Ddi::NdisMFlushLog);
  if (const Ref<MiniportLog> log = find_log(call, LogHandle)) log->flush();
}

// Page    ndis/nf-ndis-ndismcloselog                                 IRQL  PASSIVE_LEVEL
VOID NdisMCloseLog(NDIS_HANDLE LogHandle) {
  const DdiCall call(Ddi::NdisMCloseLog);
  const Ref<MiniportLog> log = find_log(call, LogHandle);
  if (!log) return;
  std::string text;
  for (const std::byte byte : log->contents()) {
    const auto c = static_cast<unsigned char>(byte);
    text += c >= 0x20 && c < 0x7F ? std::string(1, static_cast<char>(c)) : fmt::format("\\x{:02x}", c);
  }
  kernel::System::current().observer().on_trace(fmt::format("{}: {}", log->name(), text));
  Library::current().services().close(*log);
}
