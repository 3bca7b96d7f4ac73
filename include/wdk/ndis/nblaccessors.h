// SPDX-License-Identifier: MIT
// The macros through which drivers read and write NET_BUFFER and NET_BUFFER_LIST, and the flags that travel
// with them.
//
// Page  nblaccessors/index
#pragma once
#pragma GCC system_header

#include "../ntddndis/general.h"
#include "nbl.h"

// ---- NET_BUFFER -------------------------------------------------------------------------------------------
#define NET_BUFFER_NEXT_NB(_NB) ((_NB)->Next)
#define NET_BUFFER_FIRST_MDL(_NB) ((_NB)->MdlChain)
#define NET_BUFFER_DATA_LENGTH(_NB) ((_NB)->DataLength)
#define NET_BUFFER_DATA_OFFSET(_NB) ((_NB)->DataOffset)
#define NET_BUFFER_CURRENT_MDL(_NB) ((_NB)->CurrentMdl)
#define NET_BUFFER_CURRENT_MDL_OFFSET(_NB) ((_NB)->CurrentMdlOffset)
#define NET_BUFFER_PROTOCOL_RESERVED(_NB) ((_NB)->ProtocolReserved)
#define NET_BUFFER_MINIPORT_RESERVED(_NB) ((_NB)->MiniportReserved)
#define NET_BUFFER_CHECKSUM_BIAS(_NB) ((_NB)->ChecksumBias)
#define NET_BUFFER_DATA_PHYSICAL_ADDRESS(_NB) ((_NB)->DataPhysicalAddress)

// ---- NET_BUFFER in shared memory (6.20) -------------------------------------------------------------------
#define NET_BUFFER_FIRST_SHARED_MEM_INFO(_NB) ((_NB)->SharedMemoryInfo)
#define NET_BUFFER_SHARED_MEM_NEXT_SEGMENT(_SHI) ((_SHI)->NextSharedMemorySegment)
#define NET_BUFFER_SHARED_MEM_FLAGS(_SHI) ((_SHI)->SharedMemoryFlags)
#define NET_BUFFER_SHARED_MEM_HANDLE(_SHI) ((_SHI)->SharedMemoryHandle)
#define NET_BUFFER_SHARED_MEM_OFFSET(_SHI) ((_SHI)->SharedMemoryOffset)
#define NET_BUFFER_SHARED_MEM_LENGTH(_SHI) ((_SHI)->SharedMemoryLength)
#define NET_BUFFER_SCATTER_GATHER_LIST(_NB) ((_NB)->ScatterGatherList)

// ---- NET_BUFFER_LIST --------------------------------------------------------------------------------------
#define NET_BUFFER_LIST_NEXT_NBL(_NBL) ((_NBL)->Next)
#define NET_BUFFER_LIST_FIRST_NB(_NBL) ((_NBL)->FirstNetBuffer)
#define NET_BUFFER_LIST_FLAGS(_NBL) ((_NBL)->Flags)
#define NET_BUFFER_LIST_NBL_FLAGS(_NBL) ((_NBL)->NblFlags)
#define NET_BUFFER_LIST_PROTOCOL_RESERVED(_NBL) ((_NBL)->ProtocolReserved)
#define NET_BUFFER_LIST_MINIPORT_RESERVED(_NBL) ((_NBL)->MiniportReserved)
#define NET_BUFFER_LIST_CONTEXT_DATA_START(_NBL) ((PUCHAR)(((_NBL)->Context) + 1) + (_NBL)->Context->Offset)
#define NET_BUFFER_LIST_CONTEXT_DATA_SIZE(_NBL) (((_NBL)->Context)->Size)
#define NET_BUFFER_LIST_INFO(_NBL, _Id) ((_NBL)->NetBufferListInfo[(_Id)])
#define NET_BUFFER_LIST_STATUS(_NBL) ((_NBL)->Status)

// The bits of Flags that belong to protocol drivers.
#define NBL_PROT_RSVD_FLAGS NBL_FLAGS_PROTOCOL_RESERVED
#define NBL_SET_PROT_RSVD_FLAG(_NBL, _Flag) ((_NBL)->Flags |= ((_Flag)&NBL_PROT_RSVD_FLAGS))
#define NBL_CLEAR_PROT_RSVD_FLAG(_NBL, _Flag) ((_NBL)->Flags &= ~((_Flag)&NBL_PROT_RSVD_FLAGS))
#define NBL_TEST_PROT_RSVD_FLAG(_NBL, _Flag) (((_NBL)->Flags & ((_Flag)&NBL_PROT_RSVD_FLAGS)) != 0)

#define NdisTestNblFlag(_NBL, _F) (((_NBL)->NblFlags & (_F)) != 0)
#define NdisTestNblFlags(_NBL, _F) (((_NBL)->NblFlags & (_F)) == (_F))
#define NdisSetNblFlag(_NBL, _F) ((_NBL)->NblFlags |= (_F))
#define NdisClearNblFlag(_NBL, _F) ((_NBL)->NblFlags &= ~(_F))

// ---- Slots with a macro of their own ----------------------------------------------------------------------
#define NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(_NBL) (NET_BUFFER_LIST_INFO(_NBL, NetBufferListCancelId))
#define NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(_NBL, _CancelId) \
  NET_BUFFER_LIST_INFO(_NBL, NetBufferListCancelId) = (_CancelId)

#define NDIS_PROTOCOL_ID_IP6 0x03

#define NdisSetNetBufferListProtocolId(_NBL, _ProtocolId) \
  *((PUCHAR)(&NET_BUFFER_LIST_INFO(_NBL, NetBufferListProtocolId))) = (UCHAR)(_ProtocolId)

// ---- Flags of send, send complete, receive and return -----------------------------------------------------
#define NDIS_SEND_FLAGS_DISPATCH_LEVEL 0x00000001
#define NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK 0x00000002
#define NDIS_SEND_FLAGS_SINGLE_QUEUE 0x00000004
#define NDIS_SEND_FLAGS_SWITCH_SINGLE_SOURCE 0x00000008
#define NDIS_SEND_FLAGS_SWITCH_DESTINATION_GROUP 0x00000010

#define NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL 0x00000001
#define NDIS_SEND_COMPLETE_FLAGS_SINGLE_QUEUE 0x00000002
#define NDIS_SEND_COMPLETE_FLAGS_SWITCH_SINGLE_SOURCE 0x00000004

#define NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL 0x00000001
#define NDIS_RECEIVE_FLAGS_RESOURCES 0x00000002
#define NDIS_RECEIVE_FLAGS_SINGLE_ETHER_TYPE 0x00000100
#define NDIS_RECEIVE_FLAGS_SINGLE_VLAN 0x00000200
#define NDIS_RECEIVE_FLAGS_PERFECT_FILTERED 0x00000400
#define NDIS_RECEIVE_FLAGS_SINGLE_QUEUE 0x00000800
#define NDIS_RECEIVE_FLAGS_SHARED_MEMORY_INFO_VALID 0x00001000
#define NDIS_RECEIVE_FLAGS_MORE_NBLS 0x00002000
#define NDIS_RECEIVE_FLAGS_SWITCH_SINGLE_SOURCE 0x00004000
#define NDIS_RECEIVE_FLAGS_SWITCH_DESTINATION_GROUP 0x00008000

#define NDIS_RETURN_FLAGS_DISPATCH_LEVEL 0x00000001
#define NDIS_RETURN_FLAGS_SINGLE_QUEUE 0x00000002
#define NDIS_RETURN_FLAGS_SWITCH_SINGLE_SOURCE 0x00000004

#define NDIS_SET_SEND_FLAG(_SendFlags, _FlagMask) ((_SendFlags) |= (_FlagMask))
#define NDIS_CLEAR_SEND_FLAG(_SendFlags, _FlagMask) ((_SendFlags) &= ~(_FlagMask))
#define NDIS_TEST_SEND_FLAG(_SendFlags, _FlagMask) (((_SendFlags) & (_FlagMask)) != 0)
#define NDIS_TEST_SEND_AT_DISPATCH_LEVEL(_SendFlags) \
  NDIS_TEST_SEND_FLAG(_SendFlags, NDIS_SEND_FLAGS_DISPATCH_LEVEL)

#define NDIS_SET_SEND_COMPLETE_FLAG(_SendCompleteFlags, _FlagMask) ((_SendCompleteFlags) |= (_FlagMask))
#define NDIS_CLEAR_SEND_COMPLETE_FLAG(_SendCompleteFlags, _FlagMask) ((_SendCompleteFlags) &= ~(_FlagMask))
#define NDIS_TEST_SEND_COMPLETE_FLAG(_SendCompleteFlags, _FlagMask) \
  (((_SendCompleteFlags) & (_FlagMask)) != 0)
#define NDIS_TEST_SEND_COMPLETE_AT_DISPATCH_LEVEL(_SendCompleteFlags) \
  NDIS_TEST_SEND_COMPLETE_FLAG(_SendCompleteFlags, NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL)

#define NDIS_SET_RECEIVE_FLAG(_ReceiveFlags, _FlagMask) ((_ReceiveFlags) |= (_FlagMask))
#define NDIS_CLEAR_RECEIVE_FLAG(_ReceiveFlags, _FlagMask) ((_ReceiveFlags) &= ~(_FlagMask))
#define NDIS_TEST_RECEIVE_FLAG(_ReceiveFlags, _FlagMask) (((_ReceiveFlags) & (_FlagMask)) != 0)
#define NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(_ReceiveFlags) \
  NDIS_TEST_RECEIVE_FLAG(_ReceiveFlags, NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL)
#define NDIS_TEST_RECEIVE_CANNOT_PEND(_ReceiveFlags) \
  NDIS_TEST_RECEIVE_FLAG(_ReceiveFlags, NDIS_RECEIVE_FLAGS_RESOURCES)
#define NDIS_TEST_RECEIVE_CAN_PEND(_ReceiveFlags) (!NDIS_TEST_RECEIVE_CANNOT_PEND(_ReceiveFlags))

#define NDIS_SET_RETURN_FLAG(_ReturnFlags, _FlagMask) ((_ReturnFlags) |= (_FlagMask))
#define NDIS_CLEAR_RETURN_FLAG(_ReturnFlags, _FlagMask) ((_ReturnFlags) &= ~(_FlagMask))
#define NDIS_TEST_RETURN_FLAG(_ReturnFlags, _FlagMask) (((_ReturnFlags) & (_FlagMask)) != 0)
#define NDIS_TEST_RETURN_AT_DISPATCH_LEVEL(_ReturnFlags) \
  NDIS_TEST_RETURN_FLAG(_ReturnFlags, NDIS_RETURN_FLAGS_DISPATCH_LEVEL)
