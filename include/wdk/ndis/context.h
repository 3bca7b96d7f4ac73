// SPDX-License-Identifier: MIT
// Marks in driver source that name the type of a context, for Microsoft's static analysis. Nothing at run
// time.
#pragma once
#pragma GCC system_header

#define NDIS_DECLARE_DRIVER_CONTEXT(type) ((void)sizeof(type))
#define NDIS_DECLARE_MINIPORT_DRIVER_CONTEXT(type) ((void)sizeof(type))
#define NDIS_DECLARE_MINIPORT_ADAPTER_CONTEXT(type) ((void)sizeof(type))
#define NDIS_DECLARE_MINIPORT_INTERRUPT_CONTEXT(type) ((void)sizeof(type))
#define NDIS_DECLARE_MINIPORT_SHARED_MEMORY_CONTEXT(type) ((void)sizeof(type))
#define NDIS_DECLARE_MINIPORT_NET_BUFFER_LIST_CONTEXT(type) ((void)sizeof(type))
#define NDIS_DECLARE_PROTOCOL_DRIVER_CONTEXT(type) ((void)sizeof(type))
#define NDIS_DECLARE_PROTOCOL_OPEN_CONTEXT(type) ((void)sizeof(type))
#define NDIS_DECLARE_FILTER_DRIVER_CONTEXT(type) ((void)sizeof(type))
#define NDIS_DECLARE_FILTER_MODULE_CONTEXT(type) ((void)sizeof(type))
