// SPDX-License-Identifier: MIT
//
// Processors: how many there are, which one this is. There is one group; each virtual processor is a package
// with one core.
#include <algorithm>

#include "ddi/caller_handle.h"
#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/time.h"
#include "machine/machine.h"

using namespace undis;

namespace {

ULONG count() {
  return static_cast<ULONG>(kernel::System::current().machine().processors().size());
}
KAFFINITY mask() {
  return count() >= 64 ? ~KAFFINITY{0} : (KAFFINITY{1} << count()) - 1;
}
ULONG index() {
  return machine::processor_here->index;
}
ULONG count_of_group(USHORT group) {
  return group == 0 || group == ALL_PROCESSOR_GROUPS ? count() : 0;
}

}  // namespace

// Page    ndis/nf-ndis-ndissystemprocessorcount                      IRQL  PASSIVE_LEVEL
CCHAR NdisSystemProcessorCount() {
  const DdiCall call(Ddi::NdisSystemProcessorCount);
  return static_cast<CCHAR>(count());
}

// Page    ndis/nf-ndis-ndissystemactiveprocessorcount                IRQL  any
ULONG NdisSystemActiveProcessorCount(PKAFFINITY ActiveProcessors) {
  const DdiCall call(Ddi::NdisSystemActiveProcessorCount);
  if (ActiveProcessors != nullptr) *ActiveProcessors = mask();
  return count();
}

// Page    ndis/nf-ndis-ndismaxgroupcount                             IRQL  any
USHORT NdisMaxGroupCount() {
  const DdiCall call(Ddi::NdisMaxGroupCount);
  return 1;
}

// Page    ndis/nf-ndis-ndisactivegroupcount                          IRQL  any
USHORT NdisActiveGroupCount() {
  const DdiCall call(Ddi::NdisActiveGroupCount);
  return 1;
}

// Page    ndis/nf-ndis-ndisgroupmaxprocessorcount                    IRQL  any
ULONG NdisGroupMaxProcessorCount(USHORT Group) {
  const DdiCall call(Ddi::NdisGroupMaxProcessorCount);
  return count_of_group(Group);
}

// Page    ndis/nf-ndis-ndisgroupactiveprocessorcount                 IRQL  any
ULONG NdisGroupActiveProcessorCount(USHORT Group) {
  const DdiCall call(Ddi::NdisGroupActiveProcessorCount);
  return count_of_group(Group);
}

// Page    ndis/nf-ndis-ndisgroupactiveprocessormask                  IRQL  any
KAFFINITY NdisGroupActiveProcessorMask(USHORT Group) {
  const DdiCall call(Ddi::NdisGroupActiveProcessorMask);
  return Group == 0 ? mask() : 0;
}

// Page    ndis/nf-ndis-ndiscurrentgroupandprocessor                  IRQL  >= DISPATCH_LEVEL
PROCESSOR_NUMBER NdisCurrentGroupAndProcessor() {
  const DdiCall call(Ddi::NdisCurrentGroupAndProcessor);
  PROCESSOR_NUMBER number{};
  number.Number = static_cast<UCHAR>(index());
  return number;
}

// Page    ndis/nf-ndis-ndiscurrentprocessorindex                     IRQL  DISPATCH_LEVEL
ULONG NdisCurrentProcessorIndex() {
  const DdiCall call(Ddi::NdisCurrentProcessorIndex);
  return index();
}

// Page    network/receive-side-scaling (NdisProcessorNumberToIndex)  IRQL  any
ULONG NdisProcessorNumberToIndex(PROCESSOR_NUMBER ProcNum) {
  const DdiCall call(Ddi::NdisProcessorNumberToIndex);
  return ProcNum.Group == 0 && ProcNum.Number < count() ? ProcNum.Number : INVALID_PROCESSOR_INDEX;
}

// Page    network/receive-side-scaling (NdisProcessorIndexToNumber)  IRQL  any
NTSTATUS NdisProcessorIndexToNumber(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNum) {
  const DdiCall call(Ddi::NdisProcessorIndexToNumber);
  if (ProcIndex >= count()) return STATUS_INVALID_PARAMETER;
  *ProcNum = {};
  ProcNum->Number = static_cast<UCHAR>(ProcIndex);
  return STATUS_SUCCESS;
}

// Page    ndis/nf-ndis-ndisgetprocessorinformation                   IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisGetProcessorInformation(PNDIS_SYSTEM_PROCESSOR_INFO SystemProcessorInfo) {
  const DdiCall call(Ddi::NdisGetProcessorInformation);
  NDIS_SYSTEM_PROCESSOR_INFO& info = *SystemProcessorInfo;
  if (info.Header.Size < NDIS_SIZEOF_SYSTEM_PROCESSOR_INFO_REVISION_1)
    return call.returns(NDIS_STATUS_BUFFER_TOO_SHORT);
  info.Flags = 0;
  info.ProcessorVendor = NdisProcessorVendorUnknown;
  info.NumPhysicalPackages = info.NumCores = count();
  info.NumCoresPerPhysicalPackage = 1;
  info.MaxHyperThreadingCpusPerCore = 1;
  info.RssBaseCpu = 0;
  info.RssCpuCount = count();
  for (ULONG i = 0; i < std::min(count(), ULONG{UNDIS_PROCESSOR_INFO_MAXIMUM}); ++i) {
    info.CpuInfo[i] = {i, i, 0, 0};
    if (info.RssProcessors != nullptr) info.RssProcessors[i] = static_cast<UCHAR>(i);
  }
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisgetprocessorinformationex                 IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisGetProcessorInformationEx(NDIS_HANDLE NdisHandle,
                                          PNDIS_SYSTEM_PROCESSOR_INFO_EX SystemProcessorInfo, PSIZE_T Size) {
  const DdiCall call(Ddi::NdisGetProcessorInformationEx);
  UNREFERENCED_PARAMETER(NdisHandle);  // optional, and every processor is there for everybody
  const SIZE_T needed = sizeof(NDIS_SYSTEM_PROCESSOR_INFO_EX) + count() * sizeof(NDIS_PROCESSOR_INFO_EX);
  const SIZE_T given = *Size;
  *Size = needed;
  if (SystemProcessorInfo == nullptr || given < needed) return call.returns(NDIS_STATUS_BUFFER_TOO_SHORT);
  NDIS_SYSTEM_PROCESSOR_INFO_EX& info = *SystemProcessorInfo;
  info = {};
  info.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_SYSTEM_PROCESSOR_INFO_EX_REVISION_1,
                 NDIS_SIZEOF_SYSTEM_PROCESSOR_INFO_EX_REVISION_1};
  info.ProcessorVendor = NdisProcessorVendorUnknown;
  info.NumSockets = info.NumCores = info.NumberOfProcessors = count();
  info.NumCoresPerSocket = info.MaxHyperThreadingProcsPerCore = 1;
  info.ProcessorInfoOffset = sizeof info;
  info.ProcessorInfoEntrySize = sizeof(NDIS_PROCESSOR_INFO_EX);
  auto* const processors = reinterpret_cast<NDIS_PROCESSOR_INFO_EX*>(&info + 1);
  for (ULONG i = 0; i < count(); ++i) {
    processors[i] = {};
    processors[i].ProcNum.Number = static_cast<UCHAR>(i);
    processors[i].SocketId = i;
  }
  return call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisgetrssprocessorinformation                IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisGetRssProcessorInformation(NDIS_HANDLE NdisHandle, PNDIS_RSS_PROCESSOR_INFO RssProcessorInfo,
                                           PSIZE_T Size) {
  const DdiCall call(Ddi::NdisGetRssProcessorInformation);
  check_caller_handle(call, "NdisHandle", NdisHandle);
  const SIZE_T needed = sizeof(NDIS_RSS_PROCESSOR_INFO) + count() * sizeof(NDIS_RSS_PROCESSOR);
  const SIZE_T given = *Size;
  *Size = needed;
  if (RssProcessorInfo == nullptr || given < needed) return call.returns(NDIS_STATUS_BUFFER_TOO_SHORT);
  NDIS_RSS_PROCESSOR_INFO& info = *RssProcessorInfo;
  info = {};
  info.Header = {NDIS_OBJECT_TYPE_RSS_PROCESSOR_INFO, NDIS_RSS_PROCESSOR_INFO_REVISION_2,
                 NDIS_SIZEOF_RSS_PROCESSOR_INFO_REVISION_2};
  info.MaxNumRssProcessors = info.RssProcessorCount = count();
  info.RssProcessorArrayOffset = sizeof info;
  info.RssProcessorEntrySize = sizeof(NDIS_RSS_PROCESSOR);
  info.RssMaxProcessor.Number = static_cast<UCHAR>(count() - 1);
  info.RssProfile = NdisRssProfileClosest;
  auto* const processors = reinterpret_cast<NDIS_RSS_PROCESSOR*>(&info + 1);
  for (ULONG i = 0; i < count(); ++i) {
    processors[i] = {};
    processors[i].ProcNum.Number = static_cast<UCHAR>(i);
  }
  return call.returns(NDIS_STATUS_SUCCESS);
}

// ---- how busy they are: not at all, since virtual time passes only while nothing can run ----

// Page    ndis/nf-ndis-ndisgetcurrentprocessorcpuusage               IRQL  any
VOID NdisGetCurrentProcessorCpuUsage(PULONG pCpuUsage) {
  const DdiCall call(Ddi::NdisGetCurrentProcessorCpuUsage);
  *pCpuUsage = 0;
}

// Page    ndis/nf-ndis-ndisgetcurrentprocessorcounts                 IRQL  <= DISPATCH_LEVEL
VOID NdisGetCurrentProcessorCounts(PULONG pIdleCount, PULONG pKernelAndUser, PULONG pIndex) {
  const DdiCall call(Ddi::NdisGetCurrentProcessorCounts);
  *pIdleCount = *pKernelAndUser = static_cast<ULONG>(kernel::now() / kernel::kClockInterval);
  *pIndex = index();
}
