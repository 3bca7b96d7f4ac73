// SPDX-License-Identifier: MIT
//
// Security descriptors, access lists and identifiers as data, and access checks that always grant.
//
// Pages   wdm/nf-wdm-rtlcreatesecuritydescriptor, -rtlsetdaclsecuritydescriptor,
// ntifs/nf-ntifs-rtladdaccessallowedace, -rtlinitializesid,
//         wdm/nf-wdm-seaccesscheck
// IRQL    PASSIVE_LEVEL
// Beyond  There are no users: each process may do everything, so SeAccessCheck grants what is asked for.
#include <algorithm>
#include <cstring>

#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/object.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

constexpr USHORT kOwnerDefaulted = 0x0001;
constexpr USHORT kGroupDefaulted = 0x0002;
constexpr USHORT kDaclDefaulted = 0x0008;
constexpr USHORT kSelfRelative = 0x8000;
constexpr UCHAR kMostSubAuthorities = 15;

/// An ACCESS_ALLOWED_ACE: the identifier begins at `first`.
struct AllowedAce {
  UCHAR type;
  UCHAR flags;
  USHORT size;
  ACCESS_MASK mask;
  ULONG first;
};

SECURITY_DESCRIPTOR* absolute(PSECURITY_DESCRIPTOR descriptor) noexcept {
  auto* const d = static_cast<SECURITY_DESCRIPTOR*>(descriptor);
  return d->Revision == SECURITY_DESCRIPTOR_REVISION && (d->Control & kSelfRelative) == 0 ? d : nullptr;
}

void put_flag(SECURITY_DESCRIPTOR& d, USHORT flag, bool on) noexcept {
  d.Control = static_cast<USHORT>(on ? d.Control | flag : d.Control & ~flag);
}

ULONG sid_size(ULONG count) noexcept {
  return static_cast<ULONG>(FIELD_OFFSET(SID, SubAuthority)) + count * static_cast<ULONG>(sizeof(ULONG));
}

GENERIC_MAPPING file_mapping{FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};

}  // namespace

// Page wdm/nf-wdm-rtlcreatesecuritydescriptor
NTSTATUS RtlCreateSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Revision) {
  const KernelCall call("RtlCreateSecurityDescriptor", PASSIVE_LEVEL);
  if (Revision != SECURITY_DESCRIPTOR_REVISION) return STATUS_UNKNOWN_REVISION;
  auto* const d = static_cast<SECURITY_DESCRIPTOR*>(SecurityDescriptor);
  *d = {};
  d->Revision = SECURITY_DESCRIPTOR_REVISION;
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-rtlsetdaclsecuritydescriptor
NTSTATUS RtlSetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN DaclPresent, PACL Dacl,
                                      BOOLEAN DaclDefaulted) {
  const KernelCall call("RtlSetDaclSecurityDescriptor", PASSIVE_LEVEL);
  SECURITY_DESCRIPTOR* const d = absolute(SecurityDescriptor);
  if (d == nullptr) return STATUS_INVALID_SECURITY_DESCR;
  put_flag(*d, SE_DACL_PRESENT, DaclPresent != FALSE);
  put_flag(*d, kDaclDefaulted, DaclPresent != FALSE && DaclDefaulted != FALSE);
  d->Dacl = DaclPresent != FALSE ? Dacl : nullptr;
  return STATUS_SUCCESS;
}

// Page ntifs/nf-ntifs-rtlsetownersecuritydescriptor
NTSTATUS RtlSetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Owner,
                                       BOOLEAN OwnerDefaulted) {
  const KernelCall call("RtlSetOwnerSecurityDescriptor", PASSIVE_LEVEL);
  SECURITY_DESCRIPTOR* const d = absolute(SecurityDescriptor);
  if (d == nullptr) return STATUS_INVALID_SECURITY_DESCR;
  d->Owner = Owner;
  put_flag(*d, kOwnerDefaulted, OwnerDefaulted != FALSE);
  return STATUS_SUCCESS;
}

// Page ntifs/nf-ntifs-rtlsetgroupsecuritydescriptor
NTSTATUS RtlSetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Group,
                                       BOOLEAN GroupDefaulted) {
  const KernelCall call("RtlSetGroupSecurityDescriptor", PASSIVE_LEVEL);
  SECURITY_DESCRIPTOR* const d = absolute(SecurityDescriptor);
  if (d == nullptr) return STATUS_INVALID_SECURITY_DESCR;
  d->Group = Group;
  put_flag(*d, kGroupDefaulted, GroupDefaulted != FALSE);
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-rtlvalidsecuritydescriptor
BOOLEAN RtlValidSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor) {
  const KernelCall call("RtlValidSecurityDescriptor", PASSIVE_LEVEL);
  const auto* const d = static_cast<const SECURITY_DESCRIPTOR*>(SecurityDescriptor);
  return d != nullptr && d->Revision == SECURITY_DESCRIPTOR_REVISION ? TRUE : FALSE;
}

// Page wdm/nf-wdm-rtllengthsecuritydescriptor
ULONG RtlLengthSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor) {
  const KernelCall call("RtlLengthSecurityDescriptor", PASSIVE_LEVEL);
  const auto* const d = static_cast<const SECURITY_DESCRIPTOR*>(SecurityDescriptor);
  ULONG length = sizeof(SECURITY_DESCRIPTOR);
  if (d->Owner != nullptr) length += RtlLengthSid(d->Owner);
  if (d->Group != nullptr) length += RtlLengthSid(d->Group);
  if (d->Dacl != nullptr) length += d->Dacl->AclSize;
  if (d->Sacl != nullptr) length += d->Sacl->AclSize;
  return length;
}

// Page ntifs/nf-ntifs-rtlcreateacl
NTSTATUS RtlCreateAcl(PACL Acl, ULONG AclLength, ULONG AclRevision) {
  if (AclLength < sizeof(ACL)) return STATUS_BUFFER_TOO_SMALL;
  if (AclLength > MAXUSHORT || AclRevision < ACL_REVISION || AclRevision > ACL_REVISION_DS)
    return STATUS_INVALID_PARAMETER;
  *Acl = {static_cast<UCHAR>(AclRevision), 0, static_cast<USHORT>(AclLength), 0, 0};
  return STATUS_SUCCESS;
}

// Page ntifs/nf-ntifs-rtladdaccessallowedace
NTSTATUS RtlAddAccessAllowedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid) {
  if (AceRevision > ACL_REVISION_DS) return STATUS_REVISION_MISMATCH;
  auto* const bytes = reinterpret_cast<UCHAR*>(Acl);
  std::size_t end = sizeof(ACL);
  for (USHORT i = 0; i < Acl->AceCount; ++i) {
    USHORT size = 0;
    std::memcpy(&size, bytes + end + offsetof(AllowedAce, size), sizeof size);
    end += size;
    if (size == 0 || end > Acl->AclSize) return STATUS_INVALID_ACL;
  }
  const std::size_t needed = offsetof(AllowedAce, first) + RtlLengthSid(Sid);
  if (end + needed > Acl->AclSize) return STATUS_ALLOTTED_SPACE_EXCEEDED;
  const AllowedAce ace{0, 0, static_cast<USHORT>(needed), AccessMask, 0};
  std::memcpy(bytes + end, &ace, offsetof(AllowedAce, first));
  std::memcpy(bytes + end + offsetof(AllowedAce, first), Sid, RtlLengthSid(Sid));
  ++Acl->AceCount;
  Acl->AclRevision = static_cast<UCHAR>(std::max<ULONG>(Acl->AclRevision, AceRevision));
  return STATUS_SUCCESS;
}

// Pages ntifs/nf-ntifs-rtllengthrequiredsid, -rtllengthsid, -rtlinitializesid, -rtlsubauthoritysid,
// -rtlequalsid
ULONG RtlLengthRequiredSid(ULONG SubAuthorityCount) {
  return sid_size(SubAuthorityCount);
}
ULONG RtlLengthSid(PSID Sid) {
  return sid_size(static_cast<const SID*>(Sid)->SubAuthorityCount);
}
NTSTATUS RtlInitializeSid(PSID Sid, PSID_IDENTIFIER_AUTHORITY IdentifierAuthority, UCHAR SubAuthorityCount) {
  if (SubAuthorityCount > kMostSubAuthorities) return STATUS_INVALID_PARAMETER;
  auto* const sid = static_cast<SID*>(Sid);
  sid->Revision = SID_REVISION;
  sid->SubAuthorityCount = SubAuthorityCount;
  sid->IdentifierAuthority = *IdentifierAuthority;
  return STATUS_SUCCESS;
}
PULONG RtlSubAuthoritySid(PSID Sid, ULONG SubAuthority) {
  return static_cast<SID*>(Sid)->SubAuthority + SubAuthority;
}
BOOLEAN RtlEqualSid(PSID Sid1, PSID Sid2) {
  return RtlLengthSid(Sid1) == RtlLengthSid(Sid2) && std::memcmp(Sid1, Sid2, RtlLengthSid(Sid1)) == 0 ? TRUE
                                                                                                      : FALSE;
}

// Page wdm/nf-wdm-rtlmapgenericmask
VOID RtlMapGenericMask(PACCESS_MASK AccessMask, const GENERIC_MAPPING* GenericMapping) {
  ACCESS_MASK mask = *AccessMask & ~(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL);
  if ((*AccessMask & GENERIC_READ) != 0) mask |= GenericMapping->GenericRead;
  if ((*AccessMask & GENERIC_WRITE) != 0) mask |= GenericMapping->GenericWrite;
  if ((*AccessMask & GENERIC_EXECUTE) != 0) mask |= GenericMapping->GenericExecute;
  if ((*AccessMask & GENERIC_ALL) != 0) mask |= GenericMapping->GenericAll;
  *AccessMask = mask;
}

// Page ntifs/nf-ntifs-zwsetsecurityobject: a device's descriptor is not kept, since nothing is ever refused.
NTSTATUS ZwSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION, PSECURITY_DESCRIPTOR SecurityDescriptor) {
  const KernelCall call("ZwSetSecurityObject", PASSIVE_LEVEL);
  if (System::current().objects().body(Handle, nullptr) == nullptr) return STATUS_INVALID_HANDLE;
  return RtlValidSecurityDescriptor(SecurityDescriptor) != FALSE ? STATUS_SUCCESS
                                                                 : STATUS_INVALID_SECURITY_DESCR;
}

// Pages ntifs/nf-ntifs-secapturesubjectcontext, -selocksubjectcontext, -seunlocksubjectcontext,
// -sereleasesubjectcontext
VOID SeCaptureSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext) {
  const KernelCall call("SeCaptureSubjectContext", PASSIVE_LEVEL);
  *SubjectContext = {};
}
VOID SeLockSubjectContext(PSECURITY_SUBJECT_CONTEXT) {
  const KernelCall call("SeLockSubjectContext", PASSIVE_LEVEL);
}
VOID SeUnlockSubjectContext(PSECURITY_SUBJECT_CONTEXT) {
  const KernelCall call("SeUnlockSubjectContext", PASSIVE_LEVEL);
}
VOID SeReleaseSubjectContext(PSECURITY_SUBJECT_CONTEXT) {
  const KernelCall call("SeReleaseSubjectContext", PASSIVE_LEVEL);
}

// Page wdm/nf-wdm-seaccesscheck
BOOLEAN SeAccessCheck(PSECURITY_DESCRIPTOR, PSECURITY_SUBJECT_CONTEXT, BOOLEAN, ACCESS_MASK DesiredAccess,
                      ACCESS_MASK PreviouslyGrantedAccess, PPRIVILEGE_SET* Privileges,
                      PGENERIC_MAPPING GenericMapping, KPROCESSOR_MODE, PACCESS_MASK GrantedAccess,
                      PNTSTATUS AccessStatus) {
  const KernelCall call("SeAccessCheck", PASSIVE_LEVEL);
  if (Privileges != nullptr) *Privileges = nullptr;
  ACCESS_MASK wanted = DesiredAccess;
  if ((wanted & MAXIMUM_ALLOWED) != 0) wanted = (wanted & ~MAXIMUM_ALLOWED) | GENERIC_ALL;
  RtlMapGenericMask(&wanted, GenericMapping);
  *GrantedAccess = wanted | PreviouslyGrantedAccess;
  *AccessStatus = STATUS_SUCCESS;
  return TRUE;
}

// Page ntddk/nf-ntddk-sesingleprivilegecheck
BOOLEAN SeSinglePrivilegeCheck(LUID, KPROCESSOR_MODE) {
  const KernelCall call("SeSinglePrivilegeCheck", PASSIVE_LEVEL);
  return TRUE;
}

// Page ntddk/nf-ntddk-iogetfileobjectgenericmapping
PGENERIC_MAPPING IoGetFileObjectGenericMapping() {
  return &file_mapping;
}
