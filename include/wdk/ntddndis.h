// SPDX-License-Identifier: MIT
//
// OIDs and what they carry. An umbrella: each family of OIDs has its header in ntddndis/.
//
// The OID numbers (ntddndis/oids.h) are generated from spec/oids.csv by spec/gen_oids.py.
#pragma once
#pragma GCC system_header

#include "ntddndis/general.h"
#include "ntddndis/ioctl.h"
#include "ntddndis/ipsec.h"
#include "ntddndis/isolation.h"
#include "ntddndis/ndk.h"
#include "ntddndis/nic_switch.h"
#include "ntddndis/offload.h"
#include "ntddndis/oids.h"
#include "ntddndis/port.h"
#include "ntddndis/power.h"
#include "ntddndis/qos.h"
#include "ntddndis/receive_filter.h"
#include "ntddndis/rss.h"
#include "ntddndis/timestamp.h"
#include "ntddndis/vswitch.h"
#include "ntddndis/wan.h"
#include "ntddndis/wlan5.h"
#include "ntddndis/wmi.h"
