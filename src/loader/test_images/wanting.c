/* SPDX-License-Identifier: MIT */
/* Calls functions that nobody defines: one that the API has but undis lacks, one that no API has. */
void NdisCoSendPackets(void);
void FunctionOfNobody(void);

int DriverEntry(void* DriverObject, void* RegistryPath);
int DriverEntry(void* DriverObject, void* RegistryPath) {
  (void)DriverObject;
  (void)RegistryPath;
  NdisCoSendPackets();
  FunctionOfNobody();
  return 0;
}
